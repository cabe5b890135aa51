/*
 * scene.c - see scene.h
 */
#include "tests/sim/scene.h"

#include "tests/sim/tap_lines.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define HOSTS_MAX 2000U
#define LOOK_MS 100U
#define LOOK_CLOSELY_MS 10U /* for a second */
#define LAB "sim"

const struct net_link scene_link = { .delay_us = 5000, .jitter_us = 2000, .loss_ppm = 0, .mtu_bytes = 1500 };

static uint64_t real_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000U + (uint64_t)ts.tv_nsec / 1000U;
}

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

void scene_begin(struct scene *scene, const char *name, uint64_t seed, FILE *trace)
{
	*scene = (struct scene){ .name = name, .started_us = real_us() };
	scene->world = world_new(seed, trace);
	scene->began = world_now(scene->world);
	scene->net = net_new(scene->world, &scene_link);
	scene->fabric = fabric_new(scene->world, scene->net);
	scene->hosts = must(calloc(HOSTS_MAX, sizeof(struct host *)));
	scene->shared = must(calloc((size_t)HOSTS_MAX * HOSTS_MAX, 1));
}

struct world_hash scene_end(struct scene *scene)
{
	const struct world_hash hash = world_hash(scene->world);
	const struct net_counts counts = net_counts(scene->net);
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("# %s: %u hosts, %u pairs, %" PRIu64 " sessions, %" PRIu64 " documents, %" PRIu64 " datagrams, %" PRIu64
	       " events; %.1f virtual s, %.1f real s, at most %ld MiB; trace %s\n",
		scene->name, scene->hosts_count, scene_pairs(scene), scene_sessions(scene), scene_documents(scene),
		counts.sent, world_events(scene->world), (double)(world_now(scene->world).ns - scene->began.ns) / 1e9,
		(double)(real_us() - scene->started_us) / 1e6, usage.ru_maxrss / 1024, hash.text);
	fflush(stdout);
	for (uint32_t i = 0; i < scene->hosts_count; i++)
		host_free(scene->hosts[i]);
	free(scene->hosts);
	free(scene->shared);
	json_decref(scene->lab);
	fabric_free(scene->fabric);
	net_free(scene->net);
	world_free(scene->world);
	return hash;
}

/* ---- who there is ------------------------------------------------------------------------------------------ */

void scene_hosts(struct scene *scene, uint32_t count, enum host_address address)
{
	const uint32_t until = scene->hosts_count + count;

	if (until > HOSTS_MAX)
		abort();
	while (scene->hosts_count < until) {
		char name[16];
		struct host *host;

		snprintf(name, sizeof(name), "h%" PRIu32, scene->hosts_count);
		host = host_new(scene->world, scene->net, scene->fabric, name, address);
		scene->hosts[scene->hosts_count++] = host;
		host_start(host);
	}
}

static uint8_t *pair(const struct scene *scene, uint32_t a, uint32_t b)
{
	return &scene->shared[(size_t)a * HOSTS_MAX + b];
}

static void empty_lab(struct scene *scene)
{
	json_decref(scene->lab);
	scene->lab = must(json_pack("{s:s, s:{}, s:{}}", "lab", LAB, "networks", "ports"));
	memset(scene->shared, 0, (size_t)HOSTS_MAX * HOSTS_MAX);
}

/* A network with a port on each of @members */
static void add_network(struct scene *scene, const uint32_t *members, uint32_t count)
{
	json_t *networks = json_object_get(scene->lab, "networks"), *ports = json_object_get(scene->lab, "ports");
	char network[16];

	snprintf(network, sizeof(network), "n%zu", json_object_size(networks));
	json_object_set_new(networks, network, json_object());
	for (uint32_t i = 0; i < count; i++) {
		char port[16], attach[24];

		snprintf(port, sizeof(port), "p%" PRIu32, scene->ports);
		snprintf(attach, sizeof(attach), "tap:p%" PRIu32, scene->ports++);
		json_object_set_new(ports, port,
			json_pack("{s:s, s:s, s:s}", "host", scene->hosts[members[i]]->name, "network", network,
				"attach", attach));
		for (uint32_t k = 0; k < i; k++)
			*pair(scene, members[i], members[k]) = *pair(scene, members[k], members[i]) = 1;
	}
}

static void put_lab(struct scene *scene)
{
	json_decref(fabric_ask(scene->fabric, API_PUT, "/v1/labs/" LAB, NULL, json_incref(scene->lab), NULL));
}

/* The first @count of @order become drawn at random, none twice */
static void draw(struct scene *scene, uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t with = i + (uint32_t)world_random_below(scene->world, scene->hosts_count - i);
		const uint32_t kept = order[i];

		order[i] = order[with];
		order[with] = kept;
	}
}

void scene_lab(struct scene *scene, uint32_t networks, uint32_t least, uint32_t most)
{
	uint32_t *order = must(calloc(scene->hosts_count, sizeof(*order)));

	for (uint32_t i = 0; i < scene->hosts_count; i++)
		order[i] = i;
	empty_lab(scene);
	for (uint32_t i = 0; i < networks; i++) {
		const uint32_t count = least + (uint32_t)world_random_below(scene->world, most - least + 1);

		draw(scene, order, count);
		add_network(scene, order, count);
	}
	free(order);
	put_lab(scene);
}

void scene_network(struct scene *scene, uint32_t first, uint32_t last)
{
	uint32_t *members = must(calloc(last - first + 1, sizeof(*members)));

	for (uint32_t i = first; i <= last; i++)
		members[i - first] = i;
	if (!scene->lab)
		empty_lab(scene);
	add_network(scene, members, last - first + 1);
	free(members);
	put_lab(scene);
}

void scene_loss(struct scene *scene, uint32_t ppm)
{
	net_link(fabric_node(scene->fabric))->loss_ppm = ppm;
	for (uint32_t i = 0; i < scene->hosts_count; i++)
		net_link(scene->hosts[i]->node)->loss_ppm = ppm;
}

void scene_group(struct scene *scene, uint32_t first, uint32_t last, uint32_t group)
{
	for (uint32_t i = first; i <= last; i++)
		net_group(scene->hosts[i]->node, group);
}

void scene_clock(struct scene *scene, uint32_t first, uint32_t last, int64_t seconds)
{
	for (uint32_t i = first; i <= last; i++)
		scene->hosts[i]->clock_off_s += seconds;
}

void scene_restart(struct scene *scene, uint32_t first, uint32_t last)
{
	for (uint32_t i = first; i <= last; i++) {
		host_stop(scene->hosts[i]);
		host_start(scene->hosts[i]);
	}
}

/* ---- time and expectations --------------------------------------------------------------------------------- */

void scene_run_s(struct scene *scene, uint32_t seconds)
{
	world_run(scene->world, instant_add_ms(world_now(scene->world), seconds * 1000ULL));
}

void scene_is(struct scene *scene, bool so, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	scene->failed |= !so;
	tap_line(so, "%s: %s", scene->name, text);
}

/* Return: how many milliseconds @condition took to become @wanted, @limit_ms + 1 if it did not */
static uint64_t wait_for(struct scene *scene, bool (*condition)(struct scene *scene), bool wanted, uint64_t limit_ms)
{
	const struct instant begin = world_now(scene->world);

	while (condition(scene) != wanted) {
		const uint64_t ms = instant_since_ms(world_now(scene->world), begin);

		if (ms >= limit_ms)
			return limit_ms + 1;
		world_run(scene->world, instant_add_ms(world_now(scene->world), ms < 1000 ? LOOK_CLOSELY_MS : LOOK_MS));
	}
	return instant_since_ms(world_now(scene->world), begin);
}

void scene_within(struct scene *scene, uint32_t seconds, const char *text, bool (*condition)(struct scene *scene))
{
	const uint64_t limit_ms = seconds * 1000ULL, ms = wait_for(scene, condition, true, limit_ms);

	if (ms <= limit_ms)
		scene_is(scene, true, "%s (after %.2f s)", text, (double)ms / 1e3);
	else
		scene_is(scene, false, "%s (not within %" PRIu32 " s; %" PRIu32 " of %" PRIu32 " pairs are up)", text,
			seconds, scene_pairs_up(scene), scene_pairs(scene));
}

void scene_stays(struct scene *scene, uint32_t seconds, const char *text, bool (*condition)(struct scene *scene))
{
	const uint64_t limit_ms = seconds * 1000ULL, ms = wait_for(scene, condition, false, limit_ms);

	if (ms > limit_ms)
		scene_is(scene, true, "%s (for %" PRIu32 " s)", text, seconds);
	else
		scene_is(scene, false, "%s (not any more after %.2f s)", text, (double)ms / 1e3);
}

static bool in_line(const json_t *host)
{
	const char *wanted = json_string_value(json_object_get(host, "wanted"));
	const char *applied = json_string_value(json_object_get(host, "applied"));

	return wanted && applied && strcmp(wanted, applied) == 0 && !json_object_get(host, "error");
}

bool scene_all_applied(struct scene *scene)
{
	json_t *answer = fabric_ask(scene->fabric, API_GET, "/v1/hosts", NULL, NULL, NULL);
	const json_t *items = json_object_get(answer, "items");
	bool all = json_array_size(items) == scene->hosts_count;

	for (size_t i = 0; all && i < json_array_size(items); i++)
		all = in_line(json_array_get(items, i));
	json_decref(answer);
	return all;
}

static uint32_t sharing(const struct scene *scene, uint32_t host)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < scene->hosts_count; i++)
		count += *pair(scene, host, i);
	return count;
}

bool scene_all_up(struct scene *scene)
{
	for (uint32_t i = 0; i < scene->hosts_count; i++) {
		const uint32_t wanted = sharing(scene, i);

		if (scene->hosts[i]->core &&
			(host_peers(scene->hosts[i]) != wanted || host_peers_up(scene->hosts[i]) != wanted))
			return false;
	}
	return true;
}

bool scene_all_connected(struct scene *scene)
{
	for (uint32_t i = 0; i < scene->hosts_count; i++)
		if (scene->hosts[i]->client && !client_connected(scene->hosts[i]->client))
			return false;
	return true;
}

uint32_t scene_said(struct scene *scene, const char *of, const char *what)
{
	json_t *answer = fabric_ask(scene->fabric, API_GET, "/v1/labs/" LAB "/state", NULL, NULL, NULL);
	const uint32_t said = (uint32_t)json_integer_value(json_object_get(json_object_get(answer, of), what));

	json_decref(answer);
	return said;
}

bool scene_said_paths_up(struct scene *scene)
{
	return scene_said(scene, "paths", "up") == scene_said(scene, "paths", "count");
}

bool scene_said_up(struct scene *scene)
{
	return scene_said_paths_up(scene) && scene_said(scene, "ports", "up") == scene_said(scene, "ports", "count");
}

/* ---- sums -------------------------------------------------------------------------------------------------- */

uint64_t scene_sessions(const struct scene *scene)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < scene->hosts_count; i++)
		sum += host_sessions(scene->hosts[i]);
	return sum;
}

uint64_t scene_documents(const struct scene *scene)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < scene->hosts_count; i++)
		sum += scene->hosts[i]->counts.documents;
	return sum;
}

uint32_t scene_pairs(const struct scene *scene)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < scene->hosts_count; i++)
		sum += sharing(scene, i);
	return sum / 2;
}

uint32_t scene_pairs_up(const struct scene *scene)
{
	uint32_t sum = 0;

	for (uint32_t i = 0; i < scene->hosts_count; i++)
		sum += host_peers_up(scene->hosts[i]);
	return sum / 2;
}
