/*
 * value.c - see value.h
 */
#include "lab/value.h"

#include "base/suggest.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- what all share ---------------------------------------------------------------------------------------- */

bool value_fault(const struct value_in *in, const char *inside, const char *format, ...)
{
	char where[VALUE_WHERE_BYTES], text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(where, sizeof(where), "%s%s%s%s", in->parent, *in->parent && *in->key ? "." : "", in->key, inside);
	return fault_set(in->fault, 400, where, "%s", text);
}

const char *value_kind(const json_t *value)
{
	if (!value)
		return "is missing";
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "is an object";
	case JSON_ARRAY:
		return "is a list";
	case JSON_STRING:
		return "is a string";
	case JSON_INTEGER:
	case JSON_REAL:
		return "is a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "is a boolean";
	case JSON_NULL:
		break;
	}
	return "is empty";
}

bool value_keys_known(const struct value_in *in, const json_t *object, const char *const *keys, size_t count)
{
	const char *key, *near;
	json_t *unused;

	json_object_foreach((json_t *)object, key, unused) {
		char inside[VALUE_WHERE_BYTES];
		size_t i = 0;

		while (i < count && strcmp(key, keys[i]) != 0)
			i++;
		if (i < count)
			continue;
		near = suggest(key, keys, count);
		snprintf(inside, sizeof(inside), "%s%.200s", *in->parent || *in->key ? "." : "", key);
		value_fault(in, inside, "is not known here");
		if (near)
			fault_hint(in->fault, "did you mean \"%s\"?", near);
		return false;
	}
	return true;
}

bool lab_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > LAB_NAME_MAX || name[0] == '-' || name[len - 1] == '-')
		return false;
	return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

/* Which of @words @value is.  Return: its index; @count with the fault set, @inside the value, where it is none of them */
static size_t word_of(const struct value_in *in, const json_t *value, const char *inside, const char *const *words,
	size_t count, const char *what)
{
	const char *word = json_string_value(value), *near;
	size_t i = 0;

	while (word && i < count && strcmp(word, words[i]) != 0)
		i++;
	if (word && i < count)
		return i;
	if (word)
		value_fault(in, inside, "\"%.40s\" is no %s", word, what);
	else
		value_fault(in, inside, "%s, must be a %s", value_kind(value), what);
	near = word ? suggest(word, words, count) : NULL;
	if (near)
		fault_hint(in->fault, "did you mean \"%s\"?", near);
	return count;
}

/* ---- words: names and attachments, which are shown in logs and tables: printable ASCII without spaces -------- */

static bool decode_word(const struct value_in *in, const json_t *value, char *out, size_t cap_bytes)
{
	const char *text = json_string_value(value);
	size_t len = 0;

	if (!text)
		return value_fault(in, "", "%s, must be text", value_kind(value));
	while (text[len] > ' ' && text[len] < 0x7f)
		len++;
	if (len == 0 || text[len] || len >= cap_bytes)
		return value_fault(in, "", "\"%.60s\" must be 1 to %zu printable characters without spaces", text,
			cap_bytes - 1);
	memcpy(out, text, len + 1);
	return true;
}

static json_t *encode_word(const void *value)
{
	const char *text = value;

	return *text ? json_string(text) : NULL;
}

static bool equal_word(const void *a, const void *b)
{
	return strcmp(a, b) == 0;
}

static bool decode_name(const struct value_in *in, const json_t *value, void *out)
{
	return decode_word(in, value, out, LAB_NAME_BYTES);
}

static json_t *schema_name(const struct value_range *range)
{
	(void)range;
	return json_pack("{s:s, s:s, s:i}", "type", "string", "pattern", "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$", "maxLength",
		(int)LAB_NAME_MAX);
}

static bool decode_attach(const struct value_in *in, const json_t *value, void *out)
{
	return decode_word(in, value, out, ATTACH_TEXT_BYTES);
}

static json_t *schema_attach(const struct value_range *range)
{
	(void)range;
	return json_pack("{s:s, s:s, s:i}", "type", "string", "pattern", "^[a-z0-9-]+:[^ ]+$", "maxLength",
		(int)ATTACH_TEXT_BYTES - 1);
}

/* ---- flags and numbers ------------------------------------------------------------------------------------- */

static bool decode_flag(const struct value_in *in, const json_t *value, void *out)
{
	if (!json_is_boolean(value))
		return value_fault(in, "", "%s, must be true or false", value_kind(value));
	*(bool *)out = json_is_true(value);
	return true;
}

static json_t *encode_flag(const void *value)
{
	return json_boolean(*(const bool *)value);
}

static bool equal_flag(const void *a, const void *b)
{
	return *(const bool *)a == *(const bool *)b;
}

static void preset_flag(void *out, int64_t fallback)
{
	*(bool *)out = fallback != 0;
}

static json_t *schema_flag(const struct value_range *range)
{
	return json_pack("{s:s, s:b}", "type", "boolean", "default", range->fallback != 0);
}

static bool decode_number(const struct value_in *in, const json_t *value, void *out)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value))
		return value_fault(in, "", "%s, must be a whole number", value_kind(value));
	if (number < in->range.min || number > in->range.max) {
		value_fault(in, "", "%" JSON_INTEGER_FORMAT " is not possible", number);
		fault_hint(in->fault, "%lld to %lld", (long long)in->range.min, (long long)in->range.max);
		return false;
	}
	*(uint32_t *)out = (uint32_t)number;
	return true;
}

static json_t *encode_number(const void *value)
{
	return json_integer(*(const uint32_t *)value);
}

static bool equal_number(const void *a, const void *b)
{
	return *(const uint32_t *)a == *(const uint32_t *)b;
}

static void preset_number(void *out, int64_t fallback)
{
	*(uint32_t *)out = (uint32_t)fallback;
}

static json_t *schema_number(const struct value_range *range)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "type", "integer", "minimum", (json_int_t)range->min, "maximum",
		(json_int_t)range->max, "default", (json_int_t)range->fallback);
}

/* ---- a network's mode, and the control protocols that it passes ---------------------------------------------- */

static bool decode_mode(const struct value_in *in, const json_t *value, void *out)
{
	size_t mode = word_of(in, value, "", network_mode_words, NETWORK_MODES_COUNT, "network's mode");

	if (mode == NETWORK_MODES_COUNT) {
		fault_hint(in->fault, "switch or hub");
		return false;
	}
	*(enum network_mode *)out = (enum network_mode)mode;
	return true;
}

static json_t *encode_mode(const void *value)
{
	return json_string(network_mode_words[*(const enum network_mode *)value]);
}

static bool equal_mode(const void *a, const void *b)
{
	return *(const enum network_mode *)a == *(const enum network_mode *)b;
}

/* Of a lab file, which says wires elsewhere */
static json_t *schema_mode(const struct value_range *range)
{
	(void)range;
	return json_pack("{s:[s, s], s:s}", "enum", network_mode_words[NETWORK_SWITCH], network_mode_words[NETWORK_HUB],
		"default", network_mode_words[NETWORK_SWITCH]);
}

static bool decode_passes(const struct value_in *in, const json_t *value, void *out)
{
	unsigned int passes = 0;

	if (!json_is_array(value)) {
		value_fault(in, "", "%s, must be a list of control protocols", value_kind(value));
		fault_hint(in->fault, "write [lldp] or [stp, lacp, lldp]; leave it out to pass none");
		return false;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		char inside[24];
		size_t pass;

		snprintf(inside, sizeof(inside), "[%zu]", i);
		pass = word_of(in, json_array_get(value, i), inside, network_pass_words, NETWORK_PASSES_COUNT,
			"control protocol that can be passed");
		if (pass == NETWORK_PASSES_COUNT) {
			fault_hint(in->fault,
				"stp, pause, lacp, lldp, or other for the rest of 01-80-C2-00-00-00 to -0F");
			return false;
		}
		passes |= 1U << pass;
	}
	*(unsigned int *)out = passes;
	return true;
}

static json_t *words_json(unsigned int which, const char *const *words, size_t count)
{
	json_t *out = json_array();

	for (size_t i = 0; i < count; i++)
		if (which >> i & 1)
			json_array_append_new(out, json_string(words[i]));
	return out;
}

static json_t *encode_passes(const void *value)
{
	return words_json(*(const unsigned int *)value, network_pass_words, NETWORK_PASSES_COUNT);
}

static bool equal_passes(const void *a, const void *b)
{
	return *(const unsigned int *)a == *(const unsigned int *)b;
}

static json_t *schema_passes(const struct value_range *range)
{
	(void)range;
	return json_pack("{s:s, s:{s:o}, s:[]}", "type", "array", "items", "enum",
		words_json(~0U, network_pass_words, NETWORK_PASSES_COUNT), "default");
}

/* ---- addresses ---------------------------------------------------------------------------------------------- */

bool value_mac_given(const struct mac *mac)
{
	static const struct mac zero;

	return !mac_equal(mac, &zero);
}

static bool decode_mac(const struct value_in *in, const json_t *value, void *out)
{
	const char *text = json_string_value(value);
	struct mac mac;

	if (!text || !mac_parse(text, &mac)) {
		if (text)
			value_fault(in, "", "\"%.40s\" is no MAC address", text);
		else
			value_fault(in, "", "%s, must be a MAC address", value_kind(value));
		fault_hint(in->fault, "write it as \"52:54:00:00:00:0b\", in quotes");
		return false;
	}
	if (mac_is_group(&mac) || !value_mac_given(&mac)) {
		value_fault(in, "", "\"%.40s\" is no single station's address", text);
		fault_hint(in->fault, "the first byte must be even, as in \"52:54:00:00:00:0b\"");
		return false;
	}
	*(struct mac *)out = mac;
	return true;
}

static json_t *encode_mac(const void *value)
{
	char text[MAC_TEXT_BYTES];

	if (!value_mac_given(value))
		return NULL;
	mac_format(value, text);
	return json_string(text);
}

static bool equal_mac(const void *a, const void *b)
{
	return mac_equal(a, b);
}

static json_t *schema_mac(const struct value_range *range)
{
	(void)range;
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}$");
}

static bool decode_ip(const struct value_in *in, const json_t *value, const char *inside, struct ip *out)
{
	const char *text = json_string_value(value), *slash;

	if (!text)
		return value_fault(in, inside, "%s, must be an address in quotes", value_kind(value));
	out->v6 = strchr(text, ':') != NULL;
	if (inet_pton(out->v6 ? AF_INET6 : AF_INET, text, out->bytes) == 1)
		return true;
	value_fault(in, inside, "\"%.60s\" is no IPv4 or IPv6 address", text);
	slash = strchr(text, '/');
	if (slash)
		fault_hint(in->fault, "leave out the prefix length: \"%.*s\"", (int)(slash - text), text);
	return false;
}

static bool decode_addresses(const struct value_in *in, const json_t *value, void *out)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;
	struct ip_list *list = out;

	if (count > LAB_IPS_MAX)
		return value_fault(in, "", "more than %u addresses", LAB_IPS_MAX);
	if (count == 0)
		return true;
	list->items = calloc(count, sizeof(*list->items));
	if (!list->items)
		return fault_set(in->fault, 503, "", "out of memory");
	list->count = (uint32_t)count;
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_is_array(value) ? json_array_get(value, i) : value;
		char inside[24] = "";

		if (json_is_array(value))
			snprintf(inside, sizeof(inside), "[%zu]", i);
		if (!decode_ip(in, one, inside, &list->items[i]))
			return false;
	}
	return true;
}

static json_t *encode_addresses(const void *value)
{
	const struct ip_list *list = value;
	json_t *out = list->count ? json_array() : NULL;

	for (uint32_t i = 0; i < list->count; i++) {
		char text[INET6_ADDRSTRLEN];

		inet_ntop(list->items[i].v6 ? AF_INET6 : AF_INET, list->items[i].bytes, text, sizeof(text));
		json_array_append_new(out, json_string(text));
	}
	return out;
}

static bool equal_addresses(const void *a, const void *b)
{
	const struct ip_list *x = a, *y = b;

	if (x->count != y->count)
		return false;
	for (uint32_t i = 0; i < x->count; i++)
		if (x->items[i].v6 != y->items[i].v6 || memcmp(x->items[i].bytes, y->items[i].bytes, 16) != 0)
			return false;
	return true;
}

static void fini_addresses(void *value)
{
	free(((struct ip_list *)value)->items);
}

static json_t *schema_addresses(const struct value_range *range)
{
	(void)range;
	return json_pack("{s:[{s:s}, {s:s, s:{s:s}, s:i}]}", "oneOf", "type", "string", "type", "array", "items",
		"type", "string", "maxItems", (int)LAB_IPS_MAX);
}

/* ---- VLANs --------------------------------------------------------------------------------------------------- */

static bool decode_vlan_id(const struct value_in *in, const json_t *value, const char *inside, uint16_t *out)
{
	json_int_t id = json_integer_value(value);

	if (json_is_integer(value) && id >= 1 && id <= (json_int_t)VLAN_MAX) {
		*out = (uint16_t)id;
		return true;
	}
	if (json_is_integer(value))
		value_fault(in, inside, "%" JSON_INTEGER_FORMAT " is no VLAN", id);
	else
		value_fault(in, inside, "%s, must be a VLAN's number", value_kind(value));
	fault_hint(in->fault, "VLANs are 1 to %u", VLAN_MAX);
	return false;
}

static bool decode_trunk_list(const struct value_in *in, const json_t *list, struct vlan_policy *out)
{
	size_t count = json_array_size(list);

	if (count == 0 || count > VLAN_MAX) {
		value_fault(in, ".trunk", "%s", count ? "more VLANs than there are" : "no VLANs");
		fault_hint(in->fault, "write [10, 20], or \"all\"");
		return false;
	}
	out->mode = VLAN_TRUNK_LIST;
	for (size_t i = 0; i < count; i++) {
		char inside[32];
		uint16_t id;

		snprintf(inside, sizeof(inside), ".trunk[%zu]", i);
		if (!decode_vlan_id(in, json_array_get(list, i), inside, &id))
			return false;
		vlan_policy_add(out, id);
	}
	return true;
}

static bool decode_trunk(const struct value_in *in, const json_t *value, struct vlan_policy *out)
{
	if (json_is_array(value))
		return decode_trunk_list(in, value, out);
	if (json_is_string(value) && strcmp(json_string_value(value), "all") == 0)
		return true;
	value_fault(in, ".trunk", "%s", json_is_string(value) ? "is not \"all\"" : value_kind(value));
	fault_hint(in->fault, "write \"all\" or a list of VLANs such as [10, 20]");
	return false;
}

static bool decode_vlan(const struct value_in *in, const json_t *value, void *out)
{
	static const char *const keys[] = { "trunk", "access" };
	const json_t *trunk = json_object_get(value, "trunk"), *access = json_object_get(value, "access");
	struct vlan_policy *policy = out;

	if (!json_is_object(value)) {
		value_fault(in, "", "%s, must be an object", value_kind(value));
		fault_hint(in->fault, "write { trunk: all }, { trunk: [10, 20] } or { access: 10 }");
		return false;
	}
	if (in->strict && !value_keys_known(in, value, keys, COUNT(keys)))
		return false;
	if (!trunk == !access)
		return value_fault(in, "", "must have %s of trunk and access", access ? "only one" : "one");
	if (trunk)
		return decode_trunk(in, trunk, policy);
	policy->mode = VLAN_ACCESS;
	return decode_vlan_id(in, access, ".access", &policy->access);
}

static json_t *encode_vlan(const void *value)
{
	const struct vlan_policy *policy = value;
	json_t *list;

	switch (policy->mode) {
	case VLAN_ACCESS:
		return json_pack("{s:i}", "access", policy->access);
	case VLAN_TRUNK_LIST:
		list = json_array();
		for (uint16_t id = 1; id <= VLAN_MAX; id++)
			if (vlan_policy_lists(policy, id))
				json_array_append_new(list, json_integer(id));
		return json_pack("{s:o}", "trunk", list);
	case VLAN_TRUNK_ALL:
		break;
	}
	return json_pack("{s:s}", "trunk", "all");
}

static bool equal_vlan(const void *a, const void *b)
{
	return vlan_policy_equal(a, b);
}

static json_t *schema_vlan(const struct value_range *range)
{
	json_t *id = json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 1, "maximum", (int)VLAN_MAX);
	json_t *trunk = json_pack("{s:[{s:s}, {s:s, s:O, s:i}]}", "oneOf", "const", "all", "type", "array", "items", id,
		"minItems", 1);

	(void)range;
	return json_pack("{s:s, s:{s:o, s:o}, s:b, s:i, s:i, s:{s:s}}", "type", "object", "properties", "trunk", trunk,
		"access", id, "additionalProperties", 0, "minProperties", 1, "maxProperties", 1, "default", "trunk",
		"all");
}

/* ---- the types ------------------------------------------------------------------------------------------------ */

#define BYTES(type) sizeof(struct { VALUE_##type(member); })

const struct value_type value_type_name = { "name", BYTES(name), VALUE_TEXT, decode_name, encode_word, equal_word,
	schema_name, NULL, NULL };
const struct value_type value_type_attach = { "attach", BYTES(attach), VALUE_TEXT, decode_attach, encode_word,
	equal_word, schema_attach, NULL, NULL };
const struct value_type value_type_flag = { "flag", BYTES(flag), VALUE_TRUTH, decode_flag, encode_flag, equal_flag,
	schema_flag, NULL, preset_flag };
const struct value_type value_type_number = { "number", BYTES(number), VALUE_NUMBER, decode_number, encode_number,
	equal_number, schema_number, NULL, preset_number };
const struct value_type value_type_mode = { "mode", BYTES(mode), VALUE_TEXT, decode_mode, encode_mode, equal_mode,
	schema_mode, NULL, NULL };
const struct value_type value_type_passes = { "passes", BYTES(passes), VALUE_LIST, decode_passes, encode_passes,
	equal_passes, schema_passes, NULL, NULL };
const struct value_type value_type_mac = { "mac", BYTES(mac), VALUE_TEXT, decode_mac, encode_mac, equal_mac, schema_mac,
	NULL, NULL };
const struct value_type value_type_addresses = { "addresses", BYTES(addresses), VALUE_ONE_OR_LIST, decode_addresses,
	encode_addresses, equal_addresses, schema_addresses, fini_addresses, NULL };
const struct value_type value_type_vlan = { "vlan", BYTES(vlan), VALUE_MAPPING, decode_vlan, encode_vlan, equal_vlan,
	schema_vlan, NULL, NULL };
