/*
 * world.c - see world.h
 */
#include "tests/sim/world.h"

#include "tests/sim/random.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>

#define START_NS 3600000000000ULL /* instants begin at an hour: 0 is "never", and something may lie before the start */

struct world {
	struct instant now;
	struct event_at **queue; /* a heap: the earliest first, of one moment the one that was asked for first */
	size_t count, room;
	uint64_t number; /* of the last event that was asked for */
	uint64_t ran;
	EVP_MD_CTX *trace;
	FILE *text;
};

/* base/clock.h's, in place of base/clock.c: time is given, nothing may look it up */
struct instant instant_now(void)
{
	fputs("instant_now() was called in a simulation, where time is an argument\n", stderr);
	abort();
}

struct world *world_new(uint64_t seed, FILE *text)
{
	struct world *world = calloc(1, sizeof(*world));

	if (!world)
		abort();
	sim_random_seed(seed);
	world->now.ns = START_NS;
	world->text = text;
	world->trace = EVP_MD_CTX_new();
	if (!world->trace || EVP_DigestInit_ex(world->trace, EVP_sha256(), NULL) != 1)
		abort();
	return world;
}

void world_free(struct world *world)
{
	if (!world)
		return;
	for (size_t i = 0; i < world->count; i++)
		world->queue[i]->place = 0;
	EVP_MD_CTX_free(world->trace);
	free(world->queue);
	free(world);
}

struct instant world_now(const struct world *world)
{
	return world->now;
}

time_t world_wall(const struct world *world)
{
	return (time_t)(WORLD_EPOCH_S + (world->now.ns - START_NS) / 1000000000U);
}

/* ---- events ------------------------------------------------------------------------------------------------ */

static bool before(const struct event_at *a, const struct event_at *b)
{
	return a->at.ns != b->at.ns ? a->at.ns < b->at.ns : a->number < b->number;
}

static void put(struct world *world, size_t place, struct event_at *event)
{
	world->queue[place - 1] = event;
	event->place = place;
}

/* Move @event from @place to where it belongs */
static void settle(struct world *world, size_t place, struct event_at *event)
{
	while (place > 1 && before(event, world->queue[place / 2 - 1])) {
		put(world, place, world->queue[place / 2 - 1]);
		place /= 2;
	}
	for (;;) {
		size_t child = 2 * place;

		if (child < world->count && before(world->queue[child], world->queue[child - 1]))
			child++;
		if (child > world->count || before(event, world->queue[child - 1]))
			break;
		put(world, place, world->queue[child - 1]);
		place = child;
	}
	put(world, place, event);
}

void world_cancel(struct world *world, struct event_at *event)
{
	const size_t place = event->place;
	struct event_at *last;

	if (!place)
		return;
	event->place = 0;
	last = world->queue[--world->count];
	if (last != event)
		settle(world, place, last);
}

void world_at(struct world *world, struct event_at *event, struct instant at, void (*run)(void *ctx), void *ctx)
{
	world_cancel(world, event);
	if (world->count == world->room) {
		world->room = world->room ? 2 * world->room : 1024;
		world->queue = realloc(world->queue, world->room * sizeof(struct event_at *));
		if (!world->queue)
			abort();
	}
	event->run = run;
	event->ctx = ctx;
	event->at = at.ns > world->now.ns ? at : world->now;
	event->number = ++world->number;
	world->count++;
	settle(world, world->count, event);
}

void world_after_us(struct world *world, struct event_at *event, uint64_t us, void (*run)(void *ctx), void *ctx)
{
	world_at(world, event, (struct instant){ world->now.ns + us * 1000 }, run, ctx);
}

bool world_step(struct world *world, struct instant until)
{
	struct event_at *event = world->count ? world->queue[0] : NULL;

	if (!event || event->at.ns > until.ns) {
		if (until.ns > world->now.ns)
			world->now = until;
		return false;
	}
	world_cancel(world, event);
	assert(event->at.ns >= world->now.ns);
	world->now = event->at;
	world->ran++;
	event->run(event->ctx);
	return true;
}

void world_run(struct world *world, struct instant until)
{
	while (world_step(world, until))
		;
}

uint64_t world_events(const struct world *world)
{
	return world->ran;
}

/* ---- chance ------------------------------------------------------------------------------------------------ */

uint64_t world_random(struct world *world)
{
	(void)world; /* there is one at a time */
	return sim_random_u64();
}

uint64_t world_random_below(struct world *world, uint64_t below)
{
	assert(below > 0);
	return (uint64_t)((unsigned __int128)world_random(world) * below >> 64);
}

bool world_chance(struct world *world, uint32_t ppm)
{
	return ppm && world_random_below(world, 1000000) < ppm;
}

/* ---- trace ------------------------------------------------------------------------------------------------- */

void world_trace(struct world *world, const char *format, ...)
{
	const uint64_t ns = world->now.ns - START_NS;
	char line[512];
	va_list args;
	int head, rest;

	head = snprintf(line, sizeof(line), "%6" PRIu64 ".%09" PRIu64 " ", ns / 1000000000U, ns % 1000000000U);
	va_start(args, format);
	rest = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	va_end(args);
	assert(rest >= 0);
	if ((size_t)(head + rest) > sizeof(line) - 2)
		rest = (int)sizeof(line) - 2 - head;
	line[head + rest] = '\n';
	if (EVP_DigestUpdate(world->trace, line, (size_t)(head + rest) + 1) != 1)
		abort();
	if (world->text)
		fwrite(line, 1, (size_t)(head + rest) + 1, world->text);
}

struct world_hash world_hash(const struct world *world)
{
	EVP_MD_CTX *copy = EVP_MD_CTX_new();
	unsigned char digest[EVP_MAX_MD_SIZE];
	struct world_hash out;

	if (!copy || EVP_MD_CTX_copy_ex(copy, world->trace) != 1 || EVP_DigestFinal_ex(copy, digest, NULL) != 1)
		abort();
	EVP_MD_CTX_free(copy);
	for (int i = 0; i < 16; i++)
		snprintf(out.text + (size_t)i * 2, 3, "%02x", digest[i]);
	return out;
}
