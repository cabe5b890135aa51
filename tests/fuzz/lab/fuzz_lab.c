/*
 * fuzz_lab.c - any bytes as a lab: accepted or refused with a fault, and what is accepted is canonical
 */
#include "lab/lab_check.h"
#include "lab/lab_document.h"

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

/* What is read is written so that it reads the same, whether it can be applied or not */
static void check_round(const struct lab *lab, const struct lab_world *world)
{
	json_t *document = lab_encode(lab), *again;
	struct fault fault = { 0 }, ours = { 0 };
	struct lab second;

	/* names that are there twice are lab_check()'s to find; a document cannot say them */
	if (!lab_check(lab, world, &ours) && strncmp(ours.where, "wires.", 6) == 0) {
		json_decref(document);
		return;
	}
	if (!document || !lab_decode(document, lab->name, &second, &fault) || !lab_equal(lab, &second))
		abort();
	again = lab_encode(&second);
	if (!json_equal(document, again))
		abort();
	json_decref(again);
	json_decref(document);
	lab_fini(&second);
}

static void check_fault(const struct fault *fault)
{
	json_t *body = fault_body(fault);

	if (!fault->status || !body)
		abort();
	json_decref(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len_bytes)
{
	const struct lab_world world = { .host = host_state, .hosts = all_hosts, .attached_by = attached_by };
	struct fault fault = { 0 };
	struct lab lab;
	json_t *in;

	if (!hosts)
		hosts = json_pack("{s:{}, s:{}, s:{}}", "aws-1", "gcp-1", "old-1");
	in = json_loadb((const char *)bytes, len_bytes, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	if (!in)
		return 0;
	if (!lab_decode(in, "x", &lab, &fault)) {
		check_fault(&fault);
	} else {
		json_decref(lab_hosts(&lab));
		check_round(&lab, &world);
		if (!lab_check(&lab, &world, &fault))
			check_fault(&fault);
		lab_fini(&lab);
	}
	json_decref(in);
	return 0;
}
