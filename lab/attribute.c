/*
 * attribute.c - see attribute.h
 */
#include "lab/attribute.h"

#include <assert.h>
#include <string.h>

#define ATTRIBUTES_MAX 64U /* rows of one table */

static void *member(const struct attribute *row, void *object)
{
	return (char *)object + row->offset;
}

static const void *member_of(const struct attribute *row, const void *object)
{
	return (const char *)object + row->offset;
}

void attributes_init(const struct attributes *table, void *object)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];

		memset(member(row, object), 0, row->type->bytes);
		if (row->type->preset)
			row->type->preset(member(row, object), row->range.fallback);
	}
}

void attributes_fini(const struct attributes *table, void *object)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].type->fini)
			table->rows[i].type->fini(member(&table->rows[i], object));
	attributes_init(table, object);
}

static bool keys_known(const struct attributes *table, const json_t *object, unsigned int document, const char *where,
	struct fault *fault)
{
	const struct value_in in = { .parent = where, .key = "", .fault = fault };
	const char *keys[ATTRIBUTES_MAX];
	size_t count = 0;

	assert(table->count <= ATTRIBUTES_MAX);
	for (size_t i = 0; i < table->count; i++)
		if (table->rows[i].in & document)
			keys[count++] = table->rows[i].name;
	return value_keys_known(&in, object, keys, count);
}

bool attributes_decode(const struct attributes *table, const json_t *object, unsigned int document, bool strict,
	const char *where, void *out, struct fault *fault)
{
	if (strict && !keys_known(table, object, document, where, fault))
		return false;
	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];
		const struct value_in in = { where, row->name, strict, row->range, fault };
		const json_t *value = json_object_get(object, row->name);

		if (!(row->in & document))
			continue;
		if (!strict && json_is_null(value))
			value = NULL;
		if (value && !row->type->decode(&in, value, member(row, out)))
			return false;
		if (!value && row->in & REQUIRED) {
			value_fault(&in, "", "is missing");
			fault_hint(fault, "write %s: %s", row->name, row->example);
			return false;
		}
	}
	return true;
}

void attributes_encode(const struct attributes *table, const void *object, unsigned int document, json_t *out)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];
		json_t *value = row->in & document ? row->type->encode(member_of(row, object)) : NULL;

		if (value)
			json_object_set_new(out, row->name, value);
	}
}

void attributes_copy(const struct attributes *table, const json_t *item, unsigned int document, json_t *out)
{
	for (size_t i = 0; i < table->count; i++) {
		json_t *value = table->rows[i].in & document ? json_object_get(item, table->rows[i].name) : NULL;

		if (value)
			json_object_set(out, table->rows[i].name, value);
	}
}

bool attributes_equal(const struct attributes *table, const void *a, const void *b)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];

		if (!row->type->equal(member_of(row, a), member_of(row, b)))
			return false;
	}
	return true;
}

json_t *attributes_schema(const struct attributes *table, unsigned int document)
{
	json_t *properties = json_object(), *required = json_array(), *out;

	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];
		json_t *one;

		if (!(row->in & document))
			continue;
		one = row->type->schema(&row->range);
		json_object_set_new(one, "description", json_string(row->about));
		json_object_set_new(properties, row->name, one);
		if (row->in & REQUIRED)
			json_array_append_new(required, json_string(row->name));
	}
	out = json_pack("{s:s, s:o, s:b}", "type", "object", "properties", properties, "additionalProperties", 0);
	if (json_array_size(required))
		json_object_set(out, "required", required);
	json_decref(required);
	return out;
}
