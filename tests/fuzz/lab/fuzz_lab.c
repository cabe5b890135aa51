/*
 * fuzz_lab.c - any bytes as a lab: accepted or refused with a fault, and what is accepted is canonical
 */
#include "lab/lab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes);

static json_t *hosts;

static enum lab_host host_state(void *ctx, const char *name)
{
	(void)ctx;
	if (strcmp(name, "old-1") == 0)
		return LAB_HOST_REVOKED;
	return json_object_get(hosts, name) ? LAB_HOST_OK : LAB_HOST_UNKNOWN;
}

static const json_t *all_hosts(void *ctx)
{
	(void)ctx;
	return hosts;
}

static const char *attached_by(void *ctx, const char *host, const char *interface, const char *lab)
{
	(void)ctx;
	(void)host;
	(void)lab;
	return strcmp(interface, "taken") == 0 ? "other/p" : NULL;
}

/* What is canonical stays as it is, and stands for as many ports as it has */
static void check_accepted(json_t *lab, const struct lab_world *world)
{
	struct fault fault = { 0 };
	json_t *again = lab_check(lab, "x", world, &fault), *networks = lab_networks(lab), *ports = lab_ports(lab),
	       *names = lab_hosts(lab);
	size_t wires = json_object_size(json_object_get(lab, "wires"));

	if (!again || fault.status || !json_equal(lab, again))
		abort();
	if (json_object_size(networks) != json_object_size(json_object_get(lab, "networks")) + wires ||
		json_object_size(ports) != json_object_size(json_object_get(lab, "ports")) + 2 * wires ||
		json_array_size(names) > json_object_size(hosts))
		abort();
	json_decref(again);
	json_decref(networks);
	json_decref(ports);
	json_decref(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
	const struct lab_world world = { .host = host_state, .hosts = all_hosts, .attached_by = attached_by };
	struct fault fault = { 0 };
	json_t *in, *out, *body;

	if (!hosts)
		hosts = json_pack("{s:{}, s:{}, s:{}}", "aws-1", "gcp-1", "old-1");
	in = json_loadb((const char *)bytes, len_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!in)
		return 0;
	out = lab_check(in, "x", &world, &fault);
	if (!out == !fault.status)
		abort();
	if (out) {
		check_accepted(out, &world);
	} else {
		body = fault_body(&fault);
		if (!body)
			abort();
		json_decref(body);
	}
	json_decref(out);
	json_decref(in);
	return 0;
}
