/*
 * test_apply.c - topologies made real by a control thread with real workers, in a network namespace of its own
 *
 * Ports in memory where only the bookkeeping counts, TAPs and bridges where the machine has to follow.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/error.h"
#include "base/file.h"
#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "crypto/identity_issue.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/apply.h"
#include "overlay/agent/wire.h"
#include "overlay/datapath/worker.h"
#include "tests/unit/netns.h"
#include "underlay/route.h"
#include "underlay/udp.h"

#define WORKERS 2U
#define HOSTS 4U

static char *ca_key, *ca;
static char state_dir[] = "/tmp/weft-test-apply-XXXXXX";
static struct options options = { .state = state_dir, .time_scale = 1 };
static struct agent *agent;

static struct member {
	char name[8];
	char *key_pem, *certificate;
	struct x25519_keypair tunnel;
} members[HOSTS];

/* ---- an agent ---------------------------------------------------------------------------------------------- */

static int open_agent(void **state)
{
	const struct datapath_config config = {
		.workers = WORKERS,
		.udp_port = 4754,
		.macs = 1024,
		.macs_locations = PORTS_MAX + PEERS_MAX,
		.macs_per_location = 100,
		.time_scale = 1,
	};
	struct error error;

	(void)state;
	agent = calloc(1, sizeof(*agent));
	agent->options = &options;
	agent->now = instant_now();
	snprintf(agent->config.enrolment.host, sizeof(agent->config.enrolment.host), "me");
	agent->config.enrolment.ca_pem = ca;
	assert_true(x25519_generate(&agent->config.self.static_key));
	for (int cipher = 1; cipher <= (int)OVERLAY_CIPHERS; cipher++)
		agent->backends[cipher] = aead_backend_openssl();
	agent->routes = route_cache_new(hash_seed_random(), &error);
	assert_non_null(agent->routes);
	assert_int_equal(datapath_init(&agent->datapath, &config, &error), 0);
	assert_true(wire_start(agent));
	return 0;
}

static int close_agent(void **state)
{
	(void)state;
	datapath_stop(&agent->datapath);
	apply_stop(agent);
	overlay_fini(&agent->overlay);
	rcu_drain();
	route_cache_free(agent->routes);
	datapath_fini(&agent->datapath);
	free(agent);
	return 0;
}

static int close_and_forget(void **state)
{
	char path[PATH_MAX];

	close_agent(state);
	assert_true(config_path(state_dir, "topology.json", path));
	unlink(path);
	return 0;
}

/* ---- documents --------------------------------------------------------------------------------------------- */

static json_t *host(unsigned int i)
{
	struct member *member = &members[i];
	char key[BASE64_TEXT_BYTES(X25519_BYTES)], sig[BASE64_TEXT_BYTES(IDENTITY_SIGNATURE_BYTES)];
	uint8_t signature[IDENTITY_SIGNATURE_BYTES];

	assert_int_equal(identity_tunnel_sign(member->key_pem, member->name, &member->tunnel.public, signature), 0);
	base64_encode(signature, sizeof(signature), sig);
	base64_encode(member->tunnel.public.bytes, X25519_BYTES, key);
	return json_pack("{s:s, s:[s], s:s, s:s, s:s}", "name", member->name, "endpoints", "127.0.0.1:9", "tunnel_key",
		key, "tunnel_sig", sig, "certificate", member->certificate);
}

static json_t *begin_document(int rev)
{
	return json_pack("{s:i, s:s, s:[], s:[], s:[]}", "rev", rev, "host", "me", "hosts", "networks", "ports");
}

static void add(json_t *document, const char *list, json_t *item)
{
	assert_int_equal(json_array_append_new(json_object_get(document, list), item), 0);
}

static void add_network(json_t *document, int id, const char *lab, const char *const *hosts, size_t hosts_count)
{
	json_t *network = json_pack("{s:i, s:s, s:s, s:s, s:i, s:[]}", "id", id, "lab", lab, "name", "net", "mode",
		"switch", "mtu", 1500, "hosts");

	for (size_t i = 0; i < hosts_count; i++)
		json_array_append_new(json_object_get(network, "hosts"), json_string(hosts[i]));
	add(document, "networks", network);
}

static void add_port(json_t *document, int id, int network, const char *attach)
{
	add(document, "ports",
		json_pack("{s:i, s:s, s:s, s:i, s:s}", "id", id, "lab", "lab", "name", "port", "network", network,
			"attach", attach));
}

/* Consumes it */
static void apply(json_t *document)
{
	agent->now = instant_now();
	apply_document(agent, document);
	json_decref(document);
}

static struct vport *port(uint32_t id)
{
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		if (agent->ports[slot] && agent->ports[slot]->id == id)
			return agent->ports[slot];
	return NULL;
}

static struct peer *peer(const char *name)
{
	return peers_named(&agent->overlay.peers, name);
}

static const struct network *network(uint32_t id)
{
	return forwarding_network(agent->datapath.forwarding, id);
}

static const char *const h0h1[] = { "h0", "h1" };

/* ---- tests ------------------------------------------------------------------------------------------------- */

static void apply_change_remove(void **state)
{
	json_t *document = begin_document(1);
	struct vport *kept;
	struct peer *stays;

	(void)state;
	add(document, "hosts", host(0));
	add(document, "hosts", host(1));
	add_network(document, 17, "lab", h0h1, 2);
	add_network(document, 18, "lab", h0h1, 1);
	add_port(document, 5, 17, "memory");
	add_port(document, 6, 18, "memory");
	apply(document);
	assert_string_equal(agent->apply_error.text, "");
	assert_int_equal(agent->applied_rev, 1);
	kept = port(5);
	stays = peer("h0");
	assert_true(kept && kept->tap && port(6)->tap && stays && peer("h1"));
	assert_int_equal(stays->contact.state, CONTACT_CONNECTING);
	assert_non_null(network_port_lookup(network(17), kept->slot));
	assert_null(network_port_lookup(network(18), kept->slot));
	assert_true(network_has_peer(network(17), peer("h1")->slot));
	assert_false(network_has_peer(network(18), peer("h1")->slot));
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_ptr_equal(agent->datapath.workers[i]->ports[kept->slot]->port, kept);

	document = begin_document(2);
	add(document, "hosts", host(0));
	add_network(document, 17, "lab", h0h1, 1);
	add_port(document, 5, 17, "memory");
	apply(document);
	assert_int_equal(agent->applied_rev, 2);
	assert_ptr_equal(port(5), kept); /* untouched */
	assert_ptr_equal(peer("h0"), stays);
	assert_null(port(6));
	assert_null(peer("h1"));
	assert_null(network(18));

	apply(begin_document(3));
	assert_null(port(5));
	assert_null(peer("h0"));
	for (uint32_t i = 0; i < WORKERS; i++)
		for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
			assert_null(agent->datapath.workers[i]->ports[slot]);
}

static void a_wrong_document_changes_nothing(void **state)
{
	json_t *document = begin_document(1);
	char path[PATH_MAX], *before, *after;
	struct vport *kept;
	size_t len;

	(void)state;
	add_network(document, 17, "lab", NULL, 0);
	add_port(document, 5, 17, "memory");
	apply(document);
	kept = port(5);
	assert_true(config_path(state_dir, "topology.json", path));
	assert_int_equal(file_read(path, 1 << 20, &before, &len), 0);

	document = begin_document(2);
	add_port(document, 5, 99, "memory");
	apply(document);
	assert_non_null(strstr(agent->apply_error.text, "ports[0].network"));
	assert_int_equal(agent->applied_rev, 1);
	assert_ptr_equal(port(5), kept);
	assert_int_equal(file_read(path, 1 << 20, &after, &len), 0);
	assert_string_equal(before, after);
	free(before);
	free(after);
	agent->now = instant_now();
	apply_again(agent);
	assert_string_equal(agent->apply_error.text, "");
}

static void the_kept_one_comes_back(void **state)
{
	json_t *document = begin_document(7);

	add(document, "hosts", host(2));
	add_network(document, 17, "lab", NULL, 0);
	add_port(document, 5, 17, "memory");
	apply(document);
	close_agent(state);
	open_agent(state);
	apply_kept(agent);
	assert_int_equal(agent->applied_rev, 7);
	assert_non_null(port(5)->tap);
	assert_non_null(peer("h2"));
}

static void a_port_that_fails_is_tried_again(void **state)
{
	json_t *document = begin_document(1);

	(void)state;
	add_network(document, 17, "lab", NULL, 0);
	add_port(document, 5, 17, "bridge:br-late");
	add_port(document, 6, 17, "memory");
	add_port(document, 7, 17, "nonsense");
	apply(document);
	assert_non_null(strstr(agent->apply_error.text, "port lab/port"));
	assert_int_equal(agent->applied_rev, 1);
	assert_null(port(5)->tap);
	assert_non_null(strstr(port(5)->error.text, "br-late"));
	assert_non_null(port(6)->tap);
	assert_null(port(7)->tap);
	assert_int_equal(network(17)->ports_count, 1);
	assert_true(apply_has_faults(agent));

	assert_int_equal(netns_run("ip link add br-late type bridge && ip link set br-late up"), 0);
	apply_again(agent);
	assert_non_null(port(5)->tap);
	assert_string_equal(port(5)->error.text, "");
	assert_int_equal(network(17)->ports_count, 2);
	assert_int_equal(netns_run("ip link show wf5 | grep -q 'master br-late'"), 0);

	/* its device is deleted under it, then taken out of its bridge */
	assert_int_equal(netns_run("ip link del wf5"), 0);
	assert_true(apply_has_faults(agent));
	apply_again(agent);
	assert_int_equal(netns_run("ip link show wf5 | grep -q 'master br-late'"), 0);
	assert_int_equal(netns_run("ip link set wf5 nomaster"), 0);
	apply_again(agent);
	assert_int_equal(netns_run("ip link show wf5 | grep -q 'master br-late'"), 0);
	for (uint32_t i = 0; i < WORKERS; i++)
		assert_ptr_equal(agent->datapath.workers[i]->ports[port(5)->slot]->port, port(5));

	apply(begin_document(2));
	assert_false(apply_has_faults(agent));
	assert_int_not_equal(netns_run("ip link show wf5 2>/dev/null"), 0);
	assert_int_equal(netns_run("ip link del br-late"), 0);
}

/* The same port and device name elsewhere; two ports that change places; another MTU in place */
static void a_port_that_moves(void **state)
{
	static const char *const attach[2][2] = { { "bridge:br-a", "tap:tap-x" }, { "bridge:br-b", "tap:tap-y" } };

	(void)state;
	assert_int_equal(netns_run("ip link add br-a type bridge && ip link add br-b type bridge"), 0);
	for (int round = 0; round < 6; round++) {
		json_t *document = begin_document(round + 1);

		add_network(document, 17, "lab", NULL, 0);
		add_port(document, 5, 17, attach[round % 2][0]);
		add_port(document, 6, 17, attach[round / 2 % 2][1]);
		add_port(document, 7, 17, attach[1 - round / 2 % 2][1]);
		json_object_set_new(json_array_get(json_object_get(document, "networks"), 0), "mtu",
			json_integer(1400 + 100 * round));
		apply(document);
		assert_string_equal(agent->apply_error.text, "");
		assert_int_equal(netns_run("ip link show wf5 | grep -q 'mtu %d .*master br-%c'", 1400 + 100 * round,
					 "ab"[round % 2]),
			0);
		assert_string_equal(tap_port_name(port(6)->tap), attach[round / 2 % 2][1] + 4);
		assert_string_equal(tap_port_name(port(7)->tap), attach[1 - round / 2 % 2][1] + 4);
	}
	apply(begin_document(100));
	assert_int_equal(netns_run("ip link del br-a && ip link del br-b"), 0);
	assert_int_not_equal(netns_run("ip link show tap-x 2>/dev/null || ip link show tap-y 2>/dev/null"), 0);
}

static void session_with(struct peer *to)
{
	struct session_keys keys = { .cipher = AEAD_AES_128_GCM, .remote_lanes = 1 };
	uint32_t index = session_index_reserve(&agent->datapath.sessions, to, random_u32());

	to->current = session_new(index, to, &keys, aead_backend_openssl(), WORKERS, 1, agent->now);
	session_publish(&agent->datapath.sessions, to->current);
	rcu_publish(&to->sending, to->current);
}

static void peers_whose_key_changes_and_that_are_revoked(void **state)
{
	struct x25519_keypair before = members[0].tunnel;
	json_t *document = begin_document(1);
	uint32_t index;

	(void)state;
	add(document, "hosts", host(0));
	add(document, "hosts", host(1));
	add_network(document, 17, "lab", h0h1, 2);
	apply(document);
	session_with(peer("h0"));
	session_with(peer("h1"));
	index = peer("h0")->current->index;

	assert_true(x25519_generate(&members[0].tunnel));
	document = begin_document(2);
	add(document, "hosts", host(0));
	add_network(document, 17, "lab", h0h1, 1);
	apply(document);
	assert_memory_equal(peer("h0")->key.bytes, members[0].tunnel.public.bytes, X25519_BYTES);
	assert_null(peer("h0")->current);
	assert_null(peer("h1"));
	assert_null(session_lookup(&agent->datapath.sessions, index));
	assert_true(network_has_peer(network(17), peer("h0")->slot));

	members[0].tunnel = before;
	document = begin_document(3);
	add(document, "hosts", host(0));
	json_object_set_new(json_array_get(json_object_get(document, "hosts"), 0), "tunnel_sig", json_string(""));
	add_network(document, 17, "lab", h0h1, 1);
	apply(document);
	assert_null(peer("h0"));
	assert_int_equal(agent->refused_count, 1);
	assert_non_null(strstr(agent->apply_error.text, "h0: refused"));
	assert_int_equal(network(17)->peers_count, 0);
}

static bool knows(uint32_t id, uint8_t last)
{
	const struct fdb_key key = { .network = id, .mac = { { 0x52, 0x54, 0, 0, 0, last } } };
	struct fdb_location where;

	return fdb_lookup(agent->datapath.fdb, &key, agent->now, &where);
}

static void teach(uint32_t id, uint8_t last, struct fdb_location where)
{
	const struct fdb_key key = { .network = id, .mac = { { 0x52, 0x54, 0, 0, 0, last } } };

	(void)fdb_learn(agent->datapath.fdb, &key, where, agent->now);
}

static void what_was_learnt_goes_with_its_cause(void **state)
{
	json_t *document = begin_document(1);

	(void)state;
	add(document, "hosts", host(0));
	add_network(document, 17, "one", h0h1, 1);
	add_network(document, 18, "one", h0h1, 1);
	add_port(document, 5, 17, "memory");
	apply(document);
	teach(17, 1, (struct fdb_location){ FDB_PEER, peer("h0")->slot });
	teach(18, 1, (struct fdb_location){ FDB_PEER, peer("h0")->slot });
	teach(17, 2, (struct fdb_location){ FDB_LOCAL, port(5)->slot });
	apply_again(agent);
	assert_true(knows(17, 1) && knows(18, 1) && knows(17, 2));

	document = begin_document(2); /* number 17 is another lab's now */
	add(document, "hosts", host(0));
	add_network(document, 17, "two", h0h1, 1);
	add_network(document, 18, "one", h0h1, 1);
	apply(document);
	assert_false(knows(17, 1) || knows(17, 2));
	assert_true(knows(18, 1));

	document = begin_document(3); /* the host has left */
	add_network(document, 18, "one", NULL, 0);
	apply(document);
	assert_false(knows(18, 1));
}

/* Any documents after each other: what is there is what the last one says */
static void any_documents(void **state)
{
	(void)state;
	for (int rev = 1; rev <= 60; rev++) {
		json_t *document = begin_document(rev);
		const char *names[HOSTS];
		uint32_t wanted = random_u32(), ports_count = 0;
		size_t names_count = 0;

		for (unsigned int i = 0; i < HOSTS; i++) {
			if (!(wanted >> i & 1))
				continue;
			add(document, "hosts", host(i));
			names[names_count++] = members[i].name;
		}
		for (int id = 0; id < 4; id++)
			if (wanted >> (4 + id) & 1)
				add_network(document, id, random_u32() % 4 ? "one" : "two", names, names_count);
		for (int id = 0; id < 16; id++) {
			if (!(wanted >> (4 + id % 4) & 1) || !(wanted >> (8 + id) & 1))
				continue;
			add_port(document, 100 + id, id % 4, "memory");
			ports_count++;
		}
		apply(document);
		assert_string_equal(agent->apply_error.text, "");
		assert_int_equal(agent->applied_rev, rev);
		for (unsigned int i = 0; i < HOSTS; i++) {
			struct peer *found = peer(members[i].name);

			assert_true((found != NULL) == (wanted >> i & 1));
			if (found && !found->current && random_u32() % 2)
				session_with(found);
		}
		for (uint32_t id = 0; id < 16; id++)
			ports_count -= port(100 + id) && port(100 + id)->tap;
		assert_int_equal(ports_count, 0);
		for (uint32_t id = 0; id < 4; id++) {
			assert_true((network(id) != NULL) == (wanted >> (4 + id) & 1));
			if (network(id))
				assert_int_equal(network(id)->peers_count, names_count);
		}
		for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
			for (uint32_t i = 0; i < WORKERS; i++)
				assert_true((agent->datapath.workers[i]->ports[slot] != NULL) ==
					(agent->ports[slot] != NULL));
	}
}

static int begin(void **state)
{
	const time_t now = time(NULL);

	(void)state;
	netns_enter();
	assert_non_null(mkdtemp(state_dir));
	assert_int_equal(identity_ca_create("homelab", now, &ca_key, &ca), 0);
	for (unsigned int i = 0; i < HOSTS; i++) {
		struct member *member = &members[i];
		char *csr;

		snprintf(member->name, sizeof(member->name), "h%u", i);
		assert_int_equal(identity_key_create(&member->key_pem), 0);
		assert_int_equal(identity_csr_create(member->key_pem, member->name, &csr), 0);
		assert_int_equal(identity_host_issue(ca_key, ca, csr, member->name, now, &member->certificate), 0);
		identity_pem_free(csr);
		assert_true(x25519_generate(&member->tunnel));
	}
	rcu_thread_begin();
	return 0;
}

static int end(void **state)
{
	(void)state;
	rcu_thread_end();
	for (unsigned int i = 0; i < HOSTS; i++) {
		identity_pem_free(members[i].key_pem);
		identity_pem_free(members[i].certificate);
	}
	identity_pem_free(ca_key);
	identity_pem_free(ca);
	rmdir(state_dir);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_agent, close_and_forget)
	const struct CMUnitTest tests[] = {
		TEST(apply_change_remove),
		TEST(a_wrong_document_changes_nothing),
		TEST(the_kept_one_comes_back),
		TEST(a_port_that_fails_is_tried_again),
		TEST(a_port_that_moves),
		TEST(peers_whose_key_changes_and_that_are_revoked),
		TEST(what_was_learnt_goes_with_its_cause),
		TEST(any_documents),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
