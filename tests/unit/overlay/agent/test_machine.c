/*
 * test_machine.c - a core on real workers, devices and disk, in a network namespace of its own
 *
 * Ports in memory where only the bookkeeping counts, TAPs and bridges where the machine has to follow.
 */
#include "tests/unit/overlay/agent/document.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "overlay/agent/agent.h"
#include "overlay/agent/closer.h"
#include "overlay/agent/gather.h"
#include "overlay/agent/machine.h"
#include "overlay/agent/publish.h"
#include "overlay/agent/wire.h"
#include "overlay/datapath/worker.h"
#include "tests/unit/netns.h"
#include "underlay/addresses.h"
#include "underlay/route.h"

#define WORKERS 2U

static char state_dir[] = "/tmp/weft-test-machine-XXXXXX";
static struct options options = { .state = state_dir, .time_scale = 1 };
static struct agent *agent;

/* ---- an agent ---------------------------------------------------------------------------------------------- */

static void on_closed(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	agent->now = instant_now();
	machine_take_closed(agent);
}

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
	agent->base = event_base_new();
	snprintf(agent->config.enrolment.host, sizeof(agent->config.enrolment.host), "me");
	agent->config.enrolment.ca_pem = hosts.ca;
	assert_true(x25519_generate(&agent->config.self.static_key));
	for (int cipher = 1; cipher <= (int)OVERLAY_CIPHERS; cipher++)
		agent->backends[cipher] = aead_backend_openssl();
	agent->routes = route_cache_new(hash_seed_random(), &error);
	assert_non_null(agent->routes);
	agent->addresses = addresses_new(hash_seed_random(), &error);
	assert_non_null(agent->addresses);
	assert_int_equal(datapath_init(&agent->datapath, &config, &error), 0);
	assert_true(wire_start(agent));
	assert_true(machine_start(agent, &error));
	agent->published_event = evtimer_new(agent->base, machine_published, agent);
	agent->closed_event =
		event_new(agent->base, closer_descriptor(agent->closer), EV_READ | EV_PERSIST, on_closed, NULL);
	event_add(agent->closed_event, NULL);
	return 0;
}

static int close_agent(void **state)
{
	(void)state;
	event_free(agent->published_event);
	event_free(agent->closed_event);
	datapath_stop(&agent->datapath);
	machine_stop(agent);
	overlay_fini(&agent->overlay);
	rcu_drain();
	route_cache_free(agent->routes);
	addresses_free(agent->addresses);
	datapath_fini(&agent->datapath);
	event_base_free(agent->base);
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

/* Until nothing is on its way */
static void settle(void)
{
	while (!publish_is_settled(agent->core))
		event_base_loop(agent->base, EVLOOP_ONCE);
}

/* @document: consumed */
static void apply(json_t *document)
{
	agent->now = instant_now();
	core_document(agent->core, document, agent->now);
	json_decref(document);
	settle();
}

static void links_changed(void)
{
	agent->now = instant_now();
	core_links_changed(agent->core, agent->now);
	(void)core_tick(agent->core, agent->now);
	settle();
}

static struct port *port(uint32_t id)
{
	return ports_lookup(&agent->core->ports, id);
}

static struct peer *peer(const char *name)
{
	return peers_named(&agent->overlay.peers, name);
}

static const struct network *network(uint32_t id)
{
	return forwarding_network(agent->datapath.forwarding, id);
}

static uint64_t applied(void)
{
	return gather_applied_rev(agent->core);
}

/* Whether every worker listens on the port, or none does */
static void assert_attached(uint32_t id, bool attached)
{
	for (uint32_t i = 0; i < WORKERS; i++) {
		const struct worker_port *wport = agent->datapath.workers[i]->ports[port(id)->slot];

		assert_int_equal(wport != NULL, attached);
		if (attached)
			assert_ptr_equal(wport->port, port(id)->open);
	}
}

static void assert_no_errors(void)
{
	json_t *errors = gather_errors(agent->core);

	assert_int_equal(json_array_size(errors), 0);
	json_decref(errors);
}

/* ---- tests ------------------------------------------------------------------------------------------------- */

static void apply_change_remove(void **state)
{
	json_t *document = document_begin(1);
	struct vport *kept;
	struct peer *stays;

	(void)state;
	document_add(document, "hosts", document_host(0));
	document_add(document, "hosts", document_host(1));
	document_add_network(document, 17, "lab", 2);
	document_add_network(document, 18, "lab", 1);
	document_add_port(document, 5, 17, "memory");
	document_add_port(document, 6, 18, "memory");
	apply(document);
	assert_no_errors();
	assert_int_equal(applied(), 1);
	kept = port(5)->open;
	stays = peer("h0");
	assert_true(kept && port(6)->open && stays && peer("h1"));
	assert_non_null(network_port_lookup(network(17), kept->slot));
	assert_null(network_port_lookup(network(18), kept->slot));
	assert_true(network_has_peer(network(17), peer("h1")->slot));
	assert_false(network_has_peer(network(18), peer("h1")->slot));
	assert_attached(5, true);

	document = document_begin(2);
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "lab", 1);
	document_add_port(document, 5, 17, "memory");
	apply(document);
	assert_int_equal(applied(), 2);
	assert_ptr_equal(port(5)->open, kept); /* untouched */
	assert_ptr_equal(peer("h0"), stays);
	assert_null(port(6));
	assert_null(peer("h1"));
	assert_null(network(18));

	apply(document_begin(3));
	assert_null(port(5));
	assert_null(peer("h0"));
	for (uint32_t i = 0; i < WORKERS; i++)
		for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
			assert_null(agent->datapath.workers[i]->ports[slot]);
}

static void it_is_kept_on_disk_and_comes_back(void **state)
{
	json_t *document = document_begin(7);
	char path[PATH_MAX], *before, *after;
	size_t len;

	document_add(document, "hosts", document_host(2));
	document_add_network(document, 17, "lab", 0);
	document_add_port(document, 5, 17, "memory");
	apply(document);
	assert_true(config_path(state_dir, "topology.json", path));
	assert_int_equal(file_read(path, 1 << 20, &before, &len), 0);
	document = document_begin(8);
	document_add_port(document, 5, 99, "memory");
	apply(document); /* a wrong one */
	assert_int_equal(file_read(path, 1 << 20, &after, &len), 0);
	assert_string_equal(before, after);
	free(before);
	free(after);
	close_agent(state);
	open_agent(state);
	core_start(agent->core, agent->now);
	settle();
	assert_int_equal(applied(), 7);
	assert_attached(5, true);
	assert_non_null(peer("h2"));
}

static void nothing_on_disk_or_what_is_none(void **state)
{
	char path[PATH_MAX];

	(void)state;
	core_start(agent->core, agent->now);
	assert_null(agent->core->document);
	assert_true(config_path(state_dir, "topology.json", path));
	assert_int_equal(file_write(path, "{\"rev\": 1,", 10, 0600), 0);
	core_start(agent->core, agent->now);
	assert_null(agent->core->document);
}

static void a_port_that_fails_is_tried_again(void **state)
{
	json_t *document = document_begin(1);
	char device[ATTACH_NAME_BYTES];

	(void)state;
	document_add_network(document, 17, "lab", 0);
	document_add_port(document, 5, 17, "bridge:br-late");
	document_add_port(document, 6, 17, "memory");
	document_add_port(document, 7, 17, "nonsense");
	apply(document);
	assert_int_equal(applied(), 1);
	assert_null(port(5)->open);
	assert_non_null(strstr(port(5)->error.text, "br-late"));
	assert_attached(6, true);
	assert_null(port(7)->open);
	assert_int_equal(network(17)->ports_count, 1);

	assert_int_equal(netns_run("ip link add br-late type bridge && ip link set br-late up"), 0);
	links_changed();
	assert_attached(5, true);
	assert_string_equal(port(5)->error.text, "");
	assert_int_equal(network(17)->ports_count, 2);
	snprintf(device, sizeof(device), "%s", tap_port_name(port(5)->open->tap));
	assert_int_equal(netns_run("ip link show %s | grep -q 'master br-late'", device), 0);

	/* its device is deleted under it, then taken out of its bridge */
	assert_int_equal(netns_run("ip link del %s", device), 0);
	links_changed();
	assert_int_equal(netns_run("ip link show %s | grep -q 'master br-late'", device), 0);
	assert_int_equal(netns_run("ip link set %s nomaster", device), 0);
	links_changed();
	assert_int_equal(netns_run("ip link show %s | grep -q 'master br-late'", device), 0);
	assert_attached(5, true);

	apply(document_begin(2));
	assert_no_errors();
	assert_int_not_equal(netns_run("ip link show %s 2>/dev/null", device), 0);
	assert_int_equal(netns_run("ip link del br-late"), 0);
}

/* The same port and device name elsewhere; two ports that change places; another MTU in place */
static void a_port_that_moves(void **state)
{
	static const char *const attach[2][2] = { { "bridge:br-a", "tap:tap-x" }, { "bridge:br-b", "tap:tap-y" } };

	(void)state;
	assert_int_equal(netns_run("ip link add br-a up type bridge && ip link add br-b up type bridge"), 0);
	for (int round = 0; round < 6; round++) {
		json_t *document = document_begin(round + 1);

		document_add_network(document, 17, "lab", 0);
		document_add_port(document, 5, 17, attach[round % 2][0]);
		document_add_port(document, 6, 17, attach[round / 2 % 2][1]);
		document_add_port(document, 7, 17, attach[1 - round / 2 % 2][1]);
		json_object_set_new(json_array_get(json_object_get(document, "networks"), 0), "mtu",
			json_integer(1400 + 100 * round));
		apply(document);
		assert_no_errors();
		assert_int_equal(netns_run("ip link show %s | grep -q 'mtu %d .*master br-%c'",
					 tap_port_name(port(5)->open->tap), round ? 1400 + 100 * round : 1500,
					 "ab"[round % 2]),
			0);
		assert_string_equal(tap_port_name(port(6)->open->tap), attach[round / 2 % 2][1] + 4);
		assert_string_equal(tap_port_name(port(7)->open->tap), attach[1 - round / 2 % 2][1] + 4);
	}
	apply(document_begin(100));
	assert_int_equal(netns_run("ip link del br-a && ip link del br-b"), 0);
	assert_int_not_equal(netns_run("ip link show tap-x 2>/dev/null || ip link show tap-y 2>/dev/null"), 0);
}

/* Ports on packet sockets, each of which the kernel takes its time to close: nobody waits for them one after the other */
static void many_that_leave_at_once(void **state)
{
	json_t *document = document_begin(1), *none = document_begin(2);
	struct instant before, asked;

	(void)state;
	document_add_network(document, 17, "lab", 0);
	document_add_network(none, 17, "lab", 0);
	for (int id = 0; id < 16; id++) {
		char attach[32];

		assert_int_equal(netns_run("ip link add pk%d type veth peer name pq%d && ip link set pk%d up", id, id,
					 id),
			0);
		snprintf(attach, sizeof(attach), "packet:pk%d", id);
		document_add_port(document, id, 17, attach);
	}
	apply(document);
	assert_no_errors();
	agent->now = before = instant_now();
	core_document(agent->core, none, agent->now);
	while (agent->core->coming)
		event_base_loop(agent->base, EVLOOP_ONCE);
	asked = instant_now();
	settle();
	print_message("asked for in %llu ms, closed in %llu ms\n", (unsigned long long)instant_since_ms(asked, before),
		(unsigned long long)instant_since_ms(instant_now(), before));
	json_decref(none);
	for (int id = 0; id < 16; id++)
		assert_int_equal(netns_run("ip link del pk%d", id), 0);
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
	json_t *document = document_begin(1);

	(void)state;
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "one", 1);
	document_add_network(document, 18, "one", 1);
	document_add_port(document, 5, 17, "memory");
	apply(document);
	teach(17, 1, (struct fdb_location){ FDB_PEER, peer("h0")->slot });
	teach(18, 1, (struct fdb_location){ FDB_PEER, peer("h0")->slot });
	teach(17, 2, (struct fdb_location){ FDB_LOCAL, port(5)->slot });
	links_changed();
	assert_true(knows(17, 1) && knows(18, 1) && knows(17, 2));

	document = document_begin(2); /* number 17 is another lab's now */
	document_add(document, "hosts", document_host(0));
	document_add_network(document, 17, "two", 1);
	document_add_network(document, 18, "one", 1);
	apply(document);
	assert_false(knows(17, 1) || knows(17, 2));
	assert_true(knows(18, 1));

	document = document_begin(3); /* the host has left */
	document_add_network(document, 18, "one", 0);
	apply(document);
	assert_false(knows(18, 1));
}

static int begin(void **state)
{
	(void)state;
	netns_enter();
	if (!mkdtemp(state_dir) || netns_run("ip link set lo up") != 0)
		return -1;
	return document_begin_hosts(time(NULL));
}

static int end(void **state)
{
	(void)state;
	document_end_hosts();
	return rmdir(state_dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_agent, close_and_forget)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(apply_change_remove),
		TEST(it_is_kept_on_disk_and_comes_back),
		TEST(nothing_on_disk_or_what_is_none),
		TEST(a_port_that_fails_is_tried_again),
		TEST(a_port_that_moves),
		TEST(many_that_leave_at_once),
		TEST(what_was_learnt_goes_with_its_cause),
	};
	int failed;

	rcu_thread_begin();
	failed = cmocka_run_group_tests(tests, begin, end);
	rcu_thread_end();
	return failed;
}
