/*
 * core_rig.h - an agent's core with everything around it in the test's hands: workers, devices, disk, clock and controller
 *
 * What the core asks for is noted, and carried out when the test says so.
 */
#ifndef TESTS_UNIT_OVERLAY_AGENT_CORE_RIG_H
#define TESTS_UNIT_OVERLAY_AGENT_CORE_RIG_H

#include "tests/unit/overlay/agent/document.h"

#include <errno.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/rcu.h"
#include "crypto/aead_registry.h"
#include "overlay/agent/core.h"
#include "overlay/agent/publish.h"
#include "overlay/agent/status.h"
#include "overlay/datapath/stats.h"
#include "overlay/peer/overlay.h"
#include "tap/memory.h"

#define WALL 1700000000
#define CLOSING_MAX PORTS_MAX

static struct surroundings {
	struct instant now;
	time_t wall; /* at the beginning, which is 1 s of `now` */

	/* devices */
	unsigned int opens, closes;
	char refused[64];        /* attachments that cannot be opened, by a part of their device's alias */
	struct tap_port *lost;   /* one that is not what it should be any more */
	struct tap_port *ailing; /* one that is open and not well */
	enum tap_health health;  /* of that */
	bool all_lost;           /* whatever is opened is something else at once */
	unsigned int looks;
	bool same_links;
	bool blind, quietly; /* nothing can be seen; something has changed of which nobody tells */
	struct {
		struct tap_port *port;
		void *token;
	} closing[CLOSING_MAX];
	unsigned int closing_count;

	/* workers */
	unsigned int publishes;
	struct forwarding *coming, *forwarding; /* in the test's hands, in force */
	struct attach_faults faults;

	/* disk and controller */
	bool disk_full;
	json_t *kept, *report, *whereabouts;
	uint32_t whereabouts_keeps;
	unsigned int keeps, reports;
} around;

static struct session_table sessions;
static struct handshake_self self;
static struct overlay overlay;
static struct fdb *fdb;
static struct core *core;

/* ---- what the core and the overlay ask for ----------------------------------------------------------------- */

static time_t wall_clock(void *ctx)
{
	(void)ctx;
	return around.wall + (time_t)(around.now.ns / 1000000000) - 1;
}

static void publish(void *ctx, struct forwarding *forwarding)
{
	(void)ctx;
	assert_null(around.coming); /* one at a time */
	around.coming = forwarding;
	around.publishes++;
}

static int port_open(void *ctx, const struct attach *spec, struct tap_port **out, struct error *error)
{
	(void)ctx;
	around.opens++;
	if (around.refused[0] && strstr(spec->alias, around.refused))
		return error_fail(error, -ENODEV, "there is no %s", spec->alias);
	return memory_port_open(1, 0, 4, out);
}

static bool look_at_links(void *ctx)
{
	(void)ctx;
	around.looks++;
	around.quietly = false;
	return !around.blind;
}

static bool has_changed(void *ctx)
{
	(void)ctx;
	return around.quietly;
}

static bool links_differ(void *ctx)
{
	(void)ctx;
	return !around.same_links;
}

static enum tap_health port_check(void *ctx, struct tap_port *port, struct error *error)
{
	(void)ctx;
	if (port == around.lost || around.all_lost) {
		error_set(error, "the device was deleted");
		return TAP_LOST;
	}
	if (port != around.ailing || around.health == TAP_UP)
		return TAP_UP;
	error_set(error, "it is ill");
	return around.health;
}

static int port_set_mtu(void *ctx, struct tap_port *port, uint32_t mtu_bytes)
{
	(void)ctx;
	(void)port;
	return mtu_bytes == 9000 ? -ERANGE : 0;
}

static bool port_close(void *ctx, struct tap_port *port, void *token)
{
	(void)ctx;
	assert_true(around.closing_count < CLOSING_MAX);
	around.closing[around.closing_count].port = port;
	around.closing[around.closing_count++].token = token;
	return true;
}

static int document_keep(void *ctx, const json_t *document)
{
	(void)ctx;
	if (around.disk_full)
		return -ENOSPC;
	json_decref(around.kept);
	around.kept = json_deep_copy(document);
	around.keeps++;
	return 0;
}

static json_t *document_kept(void *ctx)
{
	(void)ctx;
	return json_incref(around.kept);
}

static int places_keep(void *ctx, const json_t *whereabouts)
{
	(void)ctx;
	if (around.disk_full)
		return -ENOSPC;
	json_decref(around.whereabouts);
	around.whereabouts = json_deep_copy(whereabouts);
	around.whereabouts_keeps++;
	return 0;
}

static json_t *places_kept(void *ctx)
{
	(void)ctx;
	return json_incref(around.whereabouts);
}

static bool report(void *ctx, const json_t *report)
{
	(void)ctx;
	json_decref(around.report);
	around.report = json_deep_copy(report);
	around.reports++;
	return true;
}

static void stats(void *ctx, struct stats *out)
{
	(void)ctx;
	memset(out, 0, sizeof(*out));
}

static void port_stats(void *ctx, uint32_t slot, struct port_stats *out)
{
	(void)ctx;
	(void)slot;
	memset(out, 0, sizeof(*out));
}

/* Addresses of this machine, and the links that have them */
static inline void own_addresses(void *ctx, void (*each)(void *arg, const struct endpoint *address, const char *link),
	void *arg)
{
	static const struct {
		const char *text, *link;
	} own[] = { { "127.0.0.1", "lo" }, { "192.0.2.1", "eth0" }, { "10.0.0.1", "br-lab" }, { "fe80::1", "eth0" },
		{ "2001:db8::1", "eth0" } };

	(void)ctx;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		struct endpoint endpoint;

		assert_true(endpoint_parse(own[i].text, 4754, &endpoint));
		each(arg, &endpoint, own[i].link);
	}
}

static const struct core_ops ops = {
	.wall_clock = wall_clock,
	.publish = publish,
	.port_open = port_open,
	.look = look_at_links,
	.has_changed = has_changed,
	.links_differ = links_differ,
	.port_check = port_check,
	.port_set_mtu = port_set_mtu,
	.port_close = port_close,
	.document_keep = document_keep,
	.document_kept = document_kept,
	.whereabouts_keep = places_keep,
	.whereabouts_kept = places_kept,
	.report = report,
	.addresses = own_addresses,
	.stats = stats,
	.port_stats = port_stats,
};

static int send_nothing(void *ctx, const struct endpoint *to, const void *bytes, size_t len_bytes)
{
	(void)ctx;
	(void)to;
	(void)bytes;
	(void)len_bytes;
	return 0;
}

static void draw(void *ctx, void *out, size_t len_bytes)
{
	(void)ctx;
	random_fill(out, len_bytes);
}

static struct tai64n timestamp(void *ctx)
{
	(void)ctx;
	return tai64n_from_unix(around.wall, 0);
}

static uint32_t no_mtu(void *ctx, const struct endpoint *to)
{
	(void)ctx;
	(void)to;
	return 0;
}

/* ---- carrying it out --------------------------------------------------------------------------------------- */

/* The workers take up what was published */
static inline void workers_turn(void)
{
	struct forwarding *before = around.forwarding;

	assert_non_null(around.coming);
	around.forwarding = around.coming;
	around.coming = NULL;
	core_published(core, &around.faults, around.now);
	around.faults.count = 0;
	forwarding_free(before);
}

static inline void close_one(void)
{
	void *token = around.closing[0].token;

	tap_port_close(around.closing[0].port);
	around.closes++;
	memmove(around.closing, around.closing + 1, --around.closing_count * sizeof(around.closing[0]));
	if (token)
		core_port_closed(core, token, around.now);
}

static inline void all_turns(void)
{
	while (around.coming || around.closing_count) {
		if (around.coming)
			workers_turn();
		else
			close_one();
	}
}

/* Return: when the core wants to be called again */
static inline struct instant later(uint64_t ms)
{
	around.now = instant_add_ms(around.now, ms);
	return core_tick(core, around.now);
}

/* @document: consumed */
static inline void give(json_t *document)
{
	core_document(core, document, around.now);
	json_decref(document);
}

static inline void apply(json_t *document)
{
	give(document);
	all_turns();
}

static inline bool has_address(void *ctx, const uint8_t ip[IP_BYTES])
{
	(void)ctx;
	(void)ip;
	return true;
}

static inline void begin_core(void)
{
	const struct core_config config = { .host = "me", .ca_pem = hosts.ca, .overlay = &overlay, .fdb = fdb };
	static const struct overlay_ops overlay_ops = {
		.send = send_nothing,
		.random = draw,
		.timestamp = timestamp,
		.route_mtu = no_mtu,
		.device_mtu = no_mtu,
		.has_address = has_address,
	};
	struct overlay_config overlay_config = {
		.ops = &overlay_ops,
		.self = &self,
		.sessions = &sessions,
		.workers = 1,
		.time_scale = 1,
		.family = AF_INET6,
	};

	for (int cipher = 1; cipher <= (int)OVERLAY_CIPHERS; cipher++)
		overlay_config.backends[cipher] = aead_backend_openssl();
	assert_true(overlay_init(&overlay, &overlay_config));
	core = core_new(&config, &ops, NULL, around.now);
	assert_non_null(core);
}

static inline void end_core(void)
{
	core_free(core);
	while (around.closing_count) {
		around.closing[0].token = NULL; /* nobody is there to be told */
		close_one();
	}
	assert_int_equal(around.opens >= around.closes, 1);
	overlay_fini(&overlay);
	rcu_drain();
	forwarding_free(around.coming);
	forwarding_free(around.forwarding);
	around.coming = around.forwarding = NULL;
}

static inline int open_core(void **state)
{
	const struct fdb_config fdb_config = {
		.capacity = 1024,
		.locations = 64,
		.location_limit = 100,
		.aging_ms = FDB_AGING_MS,
		.seed = { 3, 4 },
	};

	(void)state;
	memset(&around, 0, sizeof(around));
	around.now = (struct instant){ 1000000000 };
	around.wall = WALL;
	fdb = fdb_new(&fdb_config);
	assert_non_null(fdb);
	begin_core();
	return 0;
}

static inline int close_core(void **state)
{
	(void)state;
	end_core();
	fdb_free(fdb);
	json_decref(around.whereabouts);
	json_decref(around.kept);
	json_decref(around.report);
	return 0;
}

/* ---- looking ----------------------------------------------------------------------------------------------- */

static inline struct port *port(uint32_t id)
{
	return ports_lookup(&core->ports, id);
}

static inline bool is_up(uint32_t id)
{
	return port(id) && port(id)->open && around.forwarding &&
		around.forwarding->ports[port(id)->slot] == port(id)->open;
}

static inline const char *reported(const char *member)
{
	const char *text = json_string_value(json_object_get(around.report, member));

	return text ? text : "";
}

/* Return: the text of the reported error of lab/NAME, NULL where there is none */
static inline const char *reported_of(const char *name)
{
	const json_t *error;
	size_t i;

	json_array_foreach(json_object_get(around.report, "errors"), i, error) {
		const char *whose = json_string_value(json_object_get(error, "port"));

		if (whose && strcmp(whose, name) == 0) {
			assert_string_equal(json_string_value(json_object_get(error, "lab")), "lab");
			return json_string_value(json_object_get(error, "text"));
		}
	}
	return NULL;
}

static inline bool pinned(uint32_t network, const char *text)
{
	struct fdb_entry entry;
	uint32_t cursor = 0;
	struct mac mac;

	assert_true(mac_parse(text, &mac));
	while (fdb_next(fdb, &cursor, around.now, &entry))
		if (entry.key.network == network && mac_equal(&entry.key.mac, &mac) && entry.pinned)
			return true;
	return false;
}

static inline json_t *three_ports(int rev)
{
	json_t *document = document_begin(rev);

	document_add_network(document, 17, "lab", 0);
	json_object_set_new(document_add_port(document, 1, 17, "tap:one"), "mac", json_string("52:54:00:00:00:01"));
	json_object_set_new(document_add_port(document, 2, 17, "tap:two"), "mac", json_string("52:54:00:00:00:02"));
	json_object_set_new(document_add_port(document, 3, 17, "tap:three"), "mac", json_string("52:54:00:00:00:03"));
	return document;
}

/* ---- a group's beginning and end --------------------------------------------------------------------------- */

static inline int begin(void **state)
{
	(void)state;
	return document_begin_hosts(WALL) == 0 && x25519_generate(&self.static_key) ? 0 : -1;
}

static inline int end(void **state)
{
	(void)state;
	document_end_hosts();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_core, close_core)

static inline int run_rigged(const char *group, const struct CMUnitTest *tests, size_t count)
{
	int failed;

	rcu_thread_begin();
	failed = _cmocka_run_group_tests(group, tests, count, begin, end);
	rcu_thread_end();
	return failed;
}

#endif /* TESTS_UNIT_OVERLAY_AGENT_CORE_RIG_H */
