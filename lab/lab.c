/*
 * lab.c - see lab.h
 */
#include "lab/lab.h"

#include <stdlib.h>
#include <string.h>

void lab_fini(struct lab *lab)
{
	for (uint32_t i = 0; i < lab->networks_count; i++)
		lab_network_fini(&lab->networks[i]);
	for (uint32_t i = 0; i < lab->ports_count; i++)
		lab_port_fini(&lab->ports[i]);
	free(lab->networks);
	free(lab->ports);
	memset(lab, 0, sizeof(*lab));
}

static int network_named(const void *name, const void *network)
{
	return strcmp(name, ((const struct lab_network *)network)->name);
}

const struct lab_network *lab_network(const struct lab *lab, const char *name)
{
	return lab->networks_count
		? bsearch(name, lab->networks, lab->networks_count, sizeof(*lab->networks), network_named)
		: NULL;
}

static int port_named(const void *name, const void *port)
{
	return strcmp(name, ((const struct lab_port *)port)->name);
}

const struct lab_port *lab_port(const struct lab *lab, const char *name)
{
	return lab->ports_count ? bsearch(name, lab->ports, lab->ports_count, sizeof(*lab->ports), port_named) : NULL;
}

bool lab_equal(const struct lab *a, const struct lab *b)
{
	if (strcmp(a->name, b->name) != 0 || a->networks_count != b->networks_count || a->ports_count != b->ports_count)
		return false;
	for (uint32_t i = 0; i < a->networks_count; i++)
		if (strcmp(a->networks[i].name, b->networks[i].name) != 0 ||
			!lab_network_equal(&a->networks[i], &b->networks[i]))
			return false;
	for (uint32_t i = 0; i < a->ports_count; i++)
		if (strcmp(a->ports[i].name, b->ports[i].name) != 0 || a->ports[i].end != b->ports[i].end ||
			!lab_port_equal(&a->ports[i], &b->ports[i]))
			return false;
	return true;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

json_t *lab_hosts(const struct lab *lab)
{
	const char **names = calloc(lab->ports_count + 1, sizeof(*names));
	json_t *out = json_array();

	for (uint32_t i = 0; names && i < lab->ports_count; i++)
		names[i] = lab->ports[i].host;
	if (names)
		qsort(names, lab->ports_count, sizeof(*names), by_text);
	for (uint32_t i = 0; names && i < lab->ports_count; i++)
		if (i == 0 || strcmp(names[i], names[i - 1]) != 0)
			json_array_append_new(out, json_string(names[i]));
	free(names);
	return out;
}

const char *lab_attach_interface(const char *attach)
{
	return strchr(attach, ':') + 1;
}
