/*
 * test_trust.c - hosts of a topology that may be peers, and every way in which one may not
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/error.h"
#include "crypto/identity.h"
#include "crypto/identity_issue.h"
#include "overlay/agent/trust.h"

#define NOW 1800000000
#define HOSTS 3U

static char *ca_key, *ca, *other_ca_key, *other_ca;

static struct member {
	char name[8];
	char *key_pem, *certificate;
	struct x25519_keypair tunnel;
	char tunnel_key[64], tunnel_sig[128];
} members[HOSTS];

static void sign(struct member *member, const char *name, const struct x25519_public *key)
{
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];

	assert_int_equal(identity_tunnel_sign(member->key_pem, name, key, signature), 0);
	base64_encode(signature, sizeof(signature), member->tunnel_sig);
	base64_encode(key->bytes, sizeof(key->bytes), member->tunnel_key);
}

static void enrol(struct member *member, const char *name, const char *by_key, const char *by_ca)
{
	char *csr;

	snprintf(member->name, sizeof(member->name), "%s", name);
	assert_int_equal(identity_key_create(&member->key_pem), 0);
	assert_int_equal(identity_csr_create(member->key_pem, name, &csr), 0);
	assert_int_equal(identity_host_issue(by_key, by_ca, csr, name, NOW, &member->certificate), 0);
	identity_pem_free(csr);
	assert_true(x25519_generate(&member->tunnel));
	sign(member, name, &member->tunnel.public);
}

static void discharge(struct member *member)
{
	identity_pem_free(member->key_pem);
	identity_pem_free(member->certificate);
}

static json_t *host_json(const struct member *member)
{
	return json_pack("{s:s, s:[s, s], s:s, s:s, s:s}", "name", member->name, "endpoints", "203.0.113.9:4754",
		"2001:db8::9", "tunnel_key", member->tunnel_key, "tunnel_sig", member->tunnel_sig, "certificate",
		member->certificate);
}

static json_t *good(void)
{
	json_t *hosts = json_array();

	for (unsigned int i = 0; i < HOSTS; i++)
		json_array_append_new(hosts, host_json(&members[i]));
	return json_pack("{s:i, s:s, s:o}", "rev", 42, "host", "me", "hosts", hosts);
}

/* Read and judge.  Return: of each host; topology_fini() and free() are due */
static struct trust *judge(const json_t *document, time_t now, struct topology *out)
{
	struct error error;
	struct trust *trust;

	if (topology_decode(document, "me", out, &error) != 0)
		fail_msg("%s", error.text);
	assert_int_equal(out->hosts_count, HOSTS);
	trust = trust_judge(out, ca, now, (struct trust_before){ 0 });
	assert_non_null(trust);
	return trust;
}

static void hosts_in_order_are_peers(void **state)
{
	json_t *document = good();
	struct topology t;
	struct trust *trust = judge(document, NOW, &t);

	(void)state;
	for (unsigned int i = 0; i < HOSTS; i++) {
		assert_string_equal(t.hosts[i].name, members[i].name);
		assert_string_equal(trust[i].refused, "");
		assert_true(trust[i].proven);
		assert_memory_equal(trust[i].key.bytes, members[i].tunnel.public.bytes, X25519_BYTES);
	}
	free(trust);
	topology_fini(&t);
	json_decref(document);
}

static void no_hosts_are_judged_too(void **state)
{
	struct topology t = { .hosts_count = 0 };
	struct trust *trust = trust_judge(&t, ca, NOW, (struct trust_before){ 0 });

	(void)state;
	assert_non_null(trust);
	free(trust);
}

/* One host of the document is @impostor; the others stay peers */
static void assert_refused(const struct member *impostor, time_t now, const char *why)
{
	json_t *document = good();
	struct trust *trust;
	struct topology t;

	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(impostor));
	trust = judge(document, now, &t);
	if (!strstr(trust[1].refused, why))
		fail_msg("refused with \"%s\", not for %s", trust[1].refused, why);
	assert_false(trust[1].proven);
	if (now == NOW)
		assert_string_equal(trust[0].refused, "");
	free(trust);
	topology_fini(&t);
	json_decref(document);
}

static void forged_hosts_are_refused_with_the_reason(void **state)
{
	struct member impostor = { 0 };
	char text[sizeof(members[0].tunnel_sig)], nothing[1] = "";

	(void)state;
	enrol(&impostor, "h1", other_ca_key, other_ca);
	assert_refused(&impostor, NOW, "not signed by this fabric's CA");
	discharge(&impostor);

	impostor = members[1]; /* another host's certificate, and its signature under a name of its own */
	impostor.certificate = members[0].certificate;
	assert_refused(&impostor, NOW, "another host's");
	impostor = members[1];
	memcpy(impostor.tunnel_sig, members[0].tunnel_sig, sizeof(text));
	assert_refused(&impostor, NOW, "not signed by its certificate");
	impostor = members[1];
	memcpy(impostor.tunnel_key, members[0].tunnel_key, sizeof(impostor.tunnel_key));
	assert_refused(&impostor, NOW, "not signed by its certificate");
	impostor = members[1];
	sign(&impostor, "h0", &impostor.tunnel.public);
	assert_refused(&impostor, NOW, "not signed by its certificate");
	impostor = members[1];
	impostor.certificate = ca;
	assert_refused(&impostor, NOW, "not signed by this fabric's CA");
	impostor.certificate = nothing;
	assert_refused(&impostor, NOW, "not signed by this fabric's CA");
	impostor = members[1];
	impostor.tunnel_key[3] = '!';
	assert_refused(&impostor, NOW, "is not 32 bytes");
	impostor = members[1];
	impostor.tunnel_key[4] = '\0';
	assert_refused(&impostor, NOW, "is not 32 bytes");
	impostor = members[1];
	impostor.tunnel_sig[0] = '\0';
	assert_refused(&impostor, NOW, "not signed by its certificate");
	assert_refused(&members[1], NOW - 86400, "not valid now");
	assert_refused(&members[1], (time_t)NOW + 6 * 365 * 86400, "not valid now");
}

static void every_bit_of_a_signature_counts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < IDENTITY_SIGNATURE_BYTES; i++) {
		struct member impostor = members[1];
		uint8_t signature[IDENTITY_SIGNATURE_BYTES];

		assert_true(base64_decode(impostor.tunnel_sig, signature, sizeof(signature)));
		signature[i] ^= (uint8_t)(1U << i % 8);
		base64_encode(signature, sizeof(signature), impostor.tunnel_sig);
		assert_refused(&impostor, NOW, "not signed by its certificate");
	}
}

/* An enrolled host that signs another's public key as its own does not take that host's place */
static void a_key_that_two_hosts_claim_is_nobodys(void **state)
{
	struct member thief = members[1];
	json_t *document = good();
	struct trust *trust;
	struct topology t;

	(void)state;
	sign(&thief, "h1", &members[0].tunnel.public);
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&thief));
	trust = judge(document, NOW, &t);
	assert_string_equal(trust[0].refused, "it has the same tunnel key as h1");
	assert_string_equal(trust[1].refused, "it has the same tunnel key as h0");
	assert_string_equal(trust[2].refused, "");
	free(trust);
	topology_fini(&t);
	json_decref(document);
	/* but only one that is a host at all can do that */
	thief.tunnel_sig[0] = '\0';
	document = good();
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&thief));
	trust = judge(document, NOW, &t);
	assert_string_equal(trust[0].refused, "");
	free(trust);
	topology_fini(&t);
	json_decref(document);
}

/* With another CA pinned nobody would be proven: who is was not looked at again */
static void who_says_the_same_is_not_looked_at_again(void **state)
{
	struct member changed = members[1];
	json_t *document = good();
	struct trust *first, *then;
	struct topology t, u;
	struct error error;

	(void)state;
	first = judge(document, NOW, &t);
	assert_int_equal(trust_expiry(first, HOSTS), first[0].expires);
	sign(&changed, "h1", &members[2].tunnel.public);
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&changed));
	assert_int_equal(topology_decode(document, "me", &u, &error), 0);
	then = trust_judge(&u, other_ca, NOW + 1, (struct trust_before){ &t, first });
	assert_true(then[0].proven && !then[1].proven && then[2].proven);
	assert_memory_equal(then[0].key.bytes, members[0].tunnel.public.bytes, X25519_BYTES);
	free(then);
	then = trust_judge(&t, other_ca, first[0].expires, (struct trust_before){ &t, first });
	assert_false(then[0].proven); /* it has run out */
	assert_int_equal(trust_expiry(then, HOSTS), 0);
	free(then);
	then = trust_judge(&t, other_ca, NOW - 1, (struct trust_before){ &t, first });
	assert_false(then[0].proven); /* the clock was put back, to where nobody has looked */
	free(then);
	free(first);
	topology_fini(&t);
	topology_fini(&u);
	json_decref(document);
}

/* Two that were refused for one key are judged anew once one of them has another */
static void what_was_shared_is_not_kept(void **state)
{
	struct member thief = members[1];
	json_t *document = good();
	struct trust *first, *then;
	struct topology t, u;
	struct error error;

	(void)state;
	sign(&thief, "h1", &members[0].tunnel.public);
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&thief));
	first = judge(document, NOW, &t);
	assert_string_not_equal(first[0].refused, "");
	json_array_set_new(json_object_get(document, "hosts"), 1, host_json(&members[1]));
	assert_int_equal(topology_decode(document, "me", &u, &error), 0);
	then = trust_judge(&u, ca, NOW, (struct trust_before){ &t, first });
	assert_string_equal(then[0].refused, "");
	assert_string_equal(then[1].refused, "");
	free(then);
	free(first);
	topology_fini(&t);
	topology_fini(&u);
	json_decref(document);
}

static int begin(void **state)
{
	(void)state;
	assert_int_equal(identity_ca_create("homelab", NOW, &ca_key, &ca), 0);
	assert_int_equal(identity_ca_create("homelab", NOW, &other_ca_key, &other_ca), 0);
	enrol(&members[0], "h0", ca_key, ca);
	enrol(&members[1], "h1", ca_key, ca);
	enrol(&members[2], "h2", ca_key, ca);
	return 0;
}

static int end(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < HOSTS; i++)
		discharge(&members[i]);
	identity_pem_free(ca_key);
	identity_pem_free(ca);
	identity_pem_free(other_ca_key);
	identity_pem_free(other_ca);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_in_order_are_peers),
		cmocka_unit_test(no_hosts_are_judged_too),
		cmocka_unit_test(forged_hosts_are_refused_with_the_reason),
		cmocka_unit_test(every_bit_of_a_signature_counts),
		cmocka_unit_test(a_key_that_two_hosts_claim_is_nobodys),
		cmocka_unit_test(who_says_the_same_is_not_looked_at_again),
		cmocka_unit_test(what_was_shared_is_not_kept),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
