/*
 * lab_value.c - see lab_value.h
 */
#include "lab/lab_value.h"

#include "base/addr.h"
#include "base/suggest.h"
#include "lab/lab.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INTERFACE_MAX 15U /* IFNAMSIZ less the NUL */

static const char *const attach_kinds[] = { "bridge", "tap", "packet" };
#define ATTACH_KINDS (sizeof(attach_kinds) / sizeof(attach_kinds[0]))

/* By destination 01-80-C2-00-00-00, -01, -02, -0E, and all others to -0F (IEEE 802.1Q table 8-1) */
static const char *const pass_classes[] = { "stp", "pause", "lacp", "lldp", "other" };
#define PASS_CLASSES (sizeof(pass_classes) / sizeof(pass_classes[0]))

void lab_where(char out[LAB_WHERE_BYTES], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(out, LAB_WHERE_BYTES, format, args);
	va_end(args);
}

const char *lab_value_kind(const json_t *value)
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

static json_t *bad_attach(const char *text, const char *where, struct fault *fault)
{
	size_t kind_len = strcspn(text, ":");
	char kind[64];
	const char *near;

	snprintf(kind, sizeof(kind), "%.*s", (int)(kind_len < 63 ? kind_len : 63), text);
	near = suggest(kind, attach_kinds, ATTACH_KINDS);
	fault_set(fault, 400, where, "\"%.80s\" says not what to attach", text);
	if (near && text[kind_len] == ':')
		fault_hint(fault, "did you mean \"%s:%.60s\"?", near, text + kind_len + 1);
	else
		fault_hint(fault, "write bridge:NAME, tap:NAME or packet:NAME, NAME being the interface's");
	return NULL;
}

/* What the kernel takes as an interface's name, and no shell, log or path trips over */
static bool interface_ok(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > INTERFACE_MAX || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)name[i]) && !strchr("-_.", name[i]))
			return false;
	}
	return true;
}

/* The agent names its own TAPs so */
static bool interface_reserved(const char *name)
{
	return strncmp(name, "wf", 2) == 0 && name[2] && name[2 + strspn(name + 2, "0123456789")] == '\0';
}

json_t *lab_value_attach(const json_t *value, const char *where, struct fault *fault)
{
	const char *text = json_string_value(value), *interface;
	bool known = false;

	if (!text) {
		fault_set(fault, 400, where, "%s, must be a string such as \"bridge:br-lab\"", lab_value_kind(value));
		return NULL;
	}
	interface = strchr(text, ':');
	for (size_t i = 0; interface && i < ATTACH_KINDS; i++)
		known |= strlen(attach_kinds[i]) == (size_t)(interface - text) &&
			strncmp(text, attach_kinds[i], (size_t)(interface - text)) == 0;
	if (!known)
		return bad_attach(text, where, fault);
	interface++;
	if (!interface_ok(interface)) {
		fault_set(fault, 400, where, "\"%.40s\" cannot be an interface's name", interface);
		fault_hint(fault, "1 to %u letters, digits, '-', '_' and '.'", INTERFACE_MAX);
		return NULL;
	}
	if (interface_reserved(interface)) {
		fault_set(fault, 400, where, "\"%s\" is a name that the agent gives to its own interfaces", interface);
		fault_hint(fault, "any name but \"wf\" and digits");
		return NULL;
	}
	return json_string(text);
}

json_t *lab_value_mac(const json_t *value, const char *where, struct fault *fault)
{
	static const struct mac zero;
	const char *text = json_string_value(value);
	char canonical[MAC_TEXT_BYTES];
	struct mac mac;

	if (!text || !mac_parse(text, &mac)) {
		if (text)
			fault_set(fault, 400, where, "\"%.40s\" is no MAC address", text);
		else
			fault_set(fault, 400, where, "%s, must be a MAC address", lab_value_kind(value));
		fault_hint(fault, "write it as \"52:54:00:00:00:0b\", in quotes");
		return NULL;
	}
	if (mac_is_group(&mac) || mac_equal(&mac, &zero)) {
		fault_set(fault, 400, where, "\"%.40s\" is no single station's address", text);
		fault_hint(fault, "the first byte must be even, as in \"52:54:00:00:00:0b\"");
		return NULL;
	}
	mac_format(&mac, canonical);
	return json_string(canonical);
}

static json_t *one_ip(const json_t *value, const char *where, struct fault *fault)
{
	const char *text = json_string_value(value);
	char canonical[INET6_ADDRSTRLEN];
	uint8_t bytes[16];
	int family;

	if (!text) {
		fault_set(fault, 400, where, "%s, must be an address in quotes", lab_value_kind(value));
		return NULL;
	}
	family = strchr(text, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(family, text, bytes) != 1) {
		fault_set(fault, 400, where, "\"%.60s\" is no IPv4 or IPv6 address", text);
		if (strchr(text, '/'))
			fault_hint(fault, "leave out the prefix length: \"%.*s\"", (int)(strchr(text, '/') - text),
				text);
		return NULL;
	}
	return json_string(inet_ntop(family, bytes, canonical, sizeof(canonical)));
}

json_t *lab_value_ip(const json_t *value, const char *where, struct fault *fault)
{
	json_t *out = json_array();

	if (!json_is_array(value)) {
		if (json_array_append_new(out, one_ip(value, where, fault)) < 0)
			goto failed;
		return out;
	}
	if (json_array_size(value) > LAB_IPS_MAX) {
		fault_set(fault, 400, where, "more than %u addresses", LAB_IPS_MAX);
		goto failed;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		char place[LAB_WHERE_BYTES];

		lab_where(place, "%s[%zu]", where, i);
		if (json_array_append_new(out, one_ip(json_array_get(value, i), place, fault)) < 0)
			goto failed;
	}
	return out;
failed:
	json_decref(out);
	return NULL;
}

static bool vlan_id(const json_t *value, const char *where, struct fault *fault)
{
	json_int_t id = json_integer_value(value);

	if (json_is_integer(value) && id >= 1 && id <= 4094)
		return true;
	if (json_is_integer(value))
		fault_set(fault, 400, where, "%" JSON_INTEGER_FORMAT " is no VLAN", id);
	else
		fault_set(fault, 400, where, "%s, must be a VLAN's number", lab_value_kind(value));
	fault_hint(fault, "VLANs are 1 to 4094");
	return false;
}

static int by_number(const void *a, const void *b)
{
	uint16_t x = *(const uint16_t *)a, y = *(const uint16_t *)b;

	return x < y ? -1 : x > y;
}

static json_t *trunk_list(const json_t *list, const char *where, struct fault *fault)
{
	uint16_t ids[4094];
	size_t count = json_array_size(list);
	json_t *out;

	if (count == 0 || count > 4094) {
		fault_set(fault, 400, where, "%s", count ? "more VLANs than there are" : "no VLANs");
		fault_hint(fault, "write [10, 20], or \"all\"");
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		char place[LAB_WHERE_BYTES];

		lab_where(place, "%s[%zu]", where, i);
		if (!vlan_id(json_array_get(list, i), place, fault))
			return NULL;
		ids[i] = (uint16_t)json_integer_value(json_array_get(list, i));
	}
	qsort(ids, count, sizeof(ids[0]), by_number);
	out = json_array();
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || ids[i] != ids[i - 1])
			json_array_append_new(out, json_integer(ids[i]));
	}
	return out;
}

static json_t *trunk(const json_t *value, const char *where, struct fault *fault)
{
	if (json_is_array(value))
		return trunk_list(value, where, fault);
	if (json_is_string(value) && strcmp(json_string_value(value), "all") == 0)
		return json_string("all");
	fault_set(fault, 400, where, "%s", json_is_string(value) ? "is not \"all\"" : lab_value_kind(value));
	fault_hint(fault, "write \"all\" or a list of VLANs such as [10, 20]");
	return NULL;
}

json_t *lab_value_vlan(const json_t *value, const char *where, struct fault *fault)
{
	static const char *const keys[] = { "trunk", "access", NULL };
	const json_t *trunk_value = json_object_get(value, "trunk"), *access = json_object_get(value, "access");
	char place[LAB_WHERE_BYTES];

	if (!json_is_object(value)) {
		fault_set(fault, 400, where, "%s, must be an object", lab_value_kind(value));
		fault_hint(fault, "write { trunk: all }, { trunk: [10, 20] } or { access: 10 }");
		return NULL;
	}
	if (!lab_value_keys(value, keys, where, fault))
		return NULL;
	if (!trunk_value == !access) {
		fault_set(fault, 400, where, "must have %s of trunk and access", access ? "only one" : "one");
		return NULL;
	}
	lab_where(place, "%s.%s", where, access ? "access" : "trunk");
	if (access)
		return vlan_id(access, place, fault) ? json_pack("{s:I}", "access", json_integer_value(access)) : NULL;
	return json_pack("{s:o}", "trunk", trunk(trunk_value, place, fault));
}

/* Return: the class's index, PASS_CLASSES with @fault set where it is none */
static size_t pass_class(const json_t *value, const char *where, struct fault *fault)
{
	const char *name = json_string_value(value), *near;
	size_t i = 0;

	while (name && i < PASS_CLASSES && strcmp(name, pass_classes[i]) != 0)
		i++;
	if (name && i < PASS_CLASSES)
		return i;
	near = name ? suggest(name, pass_classes, PASS_CLASSES) : NULL;
	if (name)
		fault_set(fault, 400, where, "\"%.40s\" is no control protocol that can be passed", name);
	else
		fault_set(fault, 400, where, "%s, must be a control protocol's name", lab_value_kind(value));
	if (near)
		fault_hint(fault, "did you mean \"%s\"?", near);
	else
		fault_hint(fault, "stp, pause, lacp, lldp, or other for the rest of 01-80-C2-00-00-00 to -0F");
	return PASS_CLASSES;
}

json_t *lab_value_pass(const json_t *value, const char *where, struct fault *fault)
{
	bool passes[PASS_CLASSES] = { false };
	json_t *out;

	if (!json_is_array(value)) {
		fault_set(fault, 400, where, "%s, must be a list of control protocols", lab_value_kind(value));
		fault_hint(fault, "write [lldp] or [stp, lacp, lldp]; leave it out to pass none");
		return NULL;
	}
	for (size_t i = 0; i < json_array_size(value); i++) {
		char place[LAB_WHERE_BYTES];
		size_t class;

		lab_where(place, "%s[%zu]", where, i);
		class = pass_class(json_array_get(value, i), place, fault);
		if (class == PASS_CLASSES)
			return NULL;
		passes[class] = true;
	}
	out = json_array();
	for (size_t i = 0; i < PASS_CLASSES; i++) {
		if (passes[i])
			json_array_append_new(out, json_string(pass_classes[i]));
	}
	return out;
}

json_t *lab_value_mtu(const json_t *value, const char *where, struct fault *fault)
{
	json_int_t mtu = value ? json_integer_value(value) : LAB_MTU_DEFAULT;

	if (value && !json_is_integer(value)) {
		fault_set(fault, 400, where, "%s, must be a whole number", lab_value_kind(value));
		return NULL;
	}
	if (mtu < LAB_MTU_MIN || mtu > LAB_MTU_MAX) {
		fault_set(fault, 400, where, "an MTU of %" JSON_INTEGER_FORMAT " is not possible", mtu);
		fault_hint(fault, "%d to %d", LAB_MTU_MIN, LAB_MTU_MAX);
		return NULL;
	}
	return json_integer(mtu);
}

json_t *lab_value_bool(const json_t *value, const char *where, struct fault *fault)
{
	if (value && !json_is_boolean(value)) {
		fault_set(fault, 400, where, "%s, must be true or false", lab_value_kind(value));
		return NULL;
	}
	return json_boolean(json_is_true(value));
}

bool lab_value_keys(const json_t *object, const char *const *keys, const char *where, struct fault *fault)
{
	size_t count = 0;
	const char *key;
	json_t *value;

	while (keys[count])
		count++;
	json_object_foreach((json_t *)object, key, value) {
		char place[LAB_WHERE_BYTES];
		const char *near;
		size_t i = 0;

		while (i < count && strcmp(key, keys[i]) != 0)
			i++;
		if (i < count)
			continue;
		near = suggest(key, keys, count);
		lab_where(place, "%s%s%.200s", where, *where ? "." : "", key);
		fault_set(fault, 400, place, "is not known here");
		if (near)
			fault_hint(fault, "did you mean \"%s\"?", near);
		return false;
	}
	return true;
}
