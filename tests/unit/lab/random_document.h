/*
 * random_document.h - random lab documents, out of the tables of attributes, so that a new attribute is in them at once
 */
#ifndef TESTS_RANDOM_DOCUMENT_H
#define TESTS_RANDOM_DOCUMENT_H

#include "lab/lab_document.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define RANDOM_HOSTS 4
#define RANDOM_NETWORKS 4
#define RANDOM_PORTS 8
#define RANDOM_WIRES 3

static inline json_t *random_addresses(void)
{
	json_t *list = json_array(), *one;

	for (int i = rand() % 4; i >= 0; i--)
		json_array_append_new(list,
			rand() % 2 ? json_sprintf("10.0.%d.%d", rand() % 256, rand() % 256)
				   : json_sprintf("fd00::%x", 1 + rand() % 65535));
	if (rand() % 4)
		return list;
	one = json_incref(json_array_get(list, 0));
	json_decref(list);
	return one;
}

static inline json_t *random_vlan(void)
{
	json_t *list;

	switch (rand() % 3) {
	case 0:
		return json_pack("{s:s}", "trunk", "all");
	case 1:
		return json_pack("{s:i}", "access", 1 + rand() % 4094);
	}
	list = json_array();
	for (int i = rand() % 5; i >= 0; i--)
		json_array_append_new(list, json_integer(1 + rand() % 4094));
	return json_pack("{s:o}", "trunk", list);
}

static inline json_t *random_passes(void)
{
	json_t *list = json_array();

	for (int i = rand() % 4; i > 0; i--)
		json_array_append_new(list, json_string(network_pass_words[rand() % NETWORK_PASSES_COUNT]));
	return list;
}

/* Of any attribute whose type is enough to know what it may be */
static inline json_t *random_value(const struct attribute *row)
{
	static int attached;

	if (row->type == &value_type_name)
		return json_sprintf("%c%d", row->name[0], rand() % RANDOM_NETWORKS);
	if (row->type == &value_type_attach)
		return json_sprintf("%s:i%d", rand() % 2 ? "bridge" : "tap", ++attached % 100000);
	if (row->type == &value_type_flag)
		return json_boolean(rand() % 2);
	if (row->type == &value_type_number)
		return json_integer(row->range.min + rand() % (row->range.max - row->range.min + 1));
	if (row->type == &value_type_mode)
		return json_string("switch");
	if (row->type == &value_type_passes)
		return random_passes();
	if (row->type == &value_type_mac)
		return json_sprintf("52:54:00:%02x:%02X:%02x", rand() % 256, rand() % 256, rand() % 256);
	if (row->type == &value_type_addresses)
		return random_addresses();
	return random_vlan();
}

/* Some or all attributes that stand in @document */
static inline json_t *random_object(const struct attributes *table, unsigned int document)
{
	json_t *out = json_object();

	for (size_t i = 0; i < table->count; i++) {
		const struct attribute *row = &table->rows[i];

		if (row->in & document && (row->in & REQUIRED || rand() % 2))
			json_object_set_new(out, row->name, random_value(row));
	}
	return out;
}

/* A document that lab_decode() takes.  Hosts are h0 and on, networks n0 and on */
static inline json_t *random_document(void)
{
	json_t *networks = json_object(), *ports = json_object(), *wires = json_object();
	char name[16];

	for (int i = 0; i < RANDOM_NETWORKS; i++) {
		json_t *network = random_object(&network_attributes, IN_LAB);

		snprintf(name, sizeof(name), "n%d", i);
		if (rand() % 4 == 0) {
			json_object_del(network, "pass");
			json_object_set_new(network, "mode", json_string("hub"));
		}
		json_object_set_new(networks, name, network);
	}
	for (int i = rand() % RANDOM_PORTS; i >= 0; i--) {
		snprintf(name, sizeof(name), "p%d", i);
		json_object_set_new(ports, name, random_object(&port_attributes, IN_LAB));
	}
	for (int i = rand() % RANDOM_WIRES; i > 0; i--) {
		snprintf(name, sizeof(name), "w%d", i);
		json_object_set_new(wires, name,
			json_pack("[o, o]", random_object(&port_attributes, IN_END),
				random_object(&port_attributes, IN_END)));
	}
	return json_pack("{s:o, s:o, s:o}", "networks", networks, "ports", ports, "wires", wires);
}

/*
 * Call @check once for each leaf of @root, which is @document or within it, and each mapping and list on the way, with that value
 * replaced by @wrong, and its place
 */
static inline void each_value_wrong(json_t *document, json_t *root, const char *where, const json_t *wrong,
	void (*check)(void *ctx, const json_t *document, const char *where), void *ctx)
{
	const char *key;
	char place[512];
	json_t *value;
	void *next;
	size_t i;

	json_object_foreach_safe(root, next, key, value)
	{
		json_t *kept = json_incref(value);

		snprintf(place, sizeof(place), "%s%s%s", where, *where ? "." : "", key);
		json_object_set(root, key, (json_t *)wrong);
		check(ctx, document, place);
		json_object_set(root, key, kept);
		each_value_wrong(document, kept, place, wrong, check, ctx);
		json_decref(kept);
	}
	json_array_foreach(root, i, value) {
		json_t *kept = json_incref(value);

		snprintf(place, sizeof(place), "%s[%zu]", where, i);
		json_array_set(root, i, (json_t *)wrong);
		check(ctx, document, place);
		json_array_set(root, i, kept);
		each_value_wrong(document, kept, place, wrong, check, ctx);
		json_decref(kept);
	}
}

#endif /* TESTS_RANDOM_DOCUMENT_H */
