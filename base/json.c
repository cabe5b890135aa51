/*
 * json.c - see json.h
 */
#include "base/json.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void json_in_fail(struct json_in *in, const char *where, const char *key, const char *format, ...)
{
	va_list args;
	int used;

	if (!json_in_ok(in))
		return;
	used = snprintf(in->error, sizeof(in->error), "%s%s%s: ", where, *where && *key ? "." : "", key);
	if (used < 0 || (size_t)used >= sizeof(in->error))
		return;
	va_start(args, format);
	vsnprintf(in->error + used, sizeof(in->error) - (size_t)used, format, args);
	va_end(args);
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_REAL:
		return "a number";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		break;
	}
	return "null";
}

static bool has_type(const json_t *value, json_type type)
{
	if (type == JSON_TRUE || type == JSON_FALSE)
		return json_is_boolean(value);
	return json_typeof(value) == type;
}

json_t *json_in_member_or(struct json_in *in, const char *where, const json_t *object, const char *key, json_type type)
{
	json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value) || !json_in_ok(in))
		return NULL;
	if (!has_type(value, type)) {
		json_in_fail(in, where, key, "is %s, must be %s", type_name(json_typeof(value)), type_name(type));
		return NULL;
	}
	return value;
}

const char *json_in_string_or(struct json_in *in, const char *where, const json_t *object, const char *key,
	const char *fallback)
{
	const json_t *value = json_in_member_or(in, where, object, key, JSON_STRING);

	return value ? json_string_value(value) : fallback;
}

const char *json_in_string(struct json_in *in, const char *where, const json_t *object, const char *key)
{
	const char *value = json_in_string_or(in, where, object, key, NULL);

	if (!value) {
		json_in_fail(in, where, key, "missing");
		return "";
	}
	return value;
}

int64_t json_in_int_or(struct json_in *in, const char *where, const json_t *object, const char *key, int64_t min,
	int64_t max, int64_t fallback)
{
	const json_t *member = json_in_member_or(in, where, object, key, JSON_INTEGER);
	int64_t value;

	if (!member)
		return fallback;
	value = json_integer_value(member);
	if (value < min || value > max) {
		json_in_fail(in, where, key, "is %" PRId64 ", must be between %" PRId64 " and %" PRId64, value, min,
			max);
		return fallback;
	}
	return value;
}

int64_t json_in_int(struct json_in *in, const char *where, const json_t *object, const char *key, int64_t min,
	int64_t max)
{
	const json_t *value = json_object_get(object, key);

	if (!value || json_is_null(value))
		json_in_fail(in, where, key, "missing");
	return json_in_int_or(in, where, object, key, min, max, min);
}

const char *json_text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

json_int_t json_int_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}
