/*
 * micro.c - see micro.h
 */
#include "tests/bench/micro.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if __has_include(<valgrind/callgrind.h>)
#include <valgrind/callgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define CALLGRIND_ZERO_STATS (void)0
#define CALLGRIND_DUMP_STATS_AT(text) (void)(text)
#endif

#define REPETITIONS 11U
#define REPETITION_NS 5000000ULL
#define COUNTED_CALLS 64U

/* Of this thread's own time on a core, so that a neighbour on a busy machine does not count */
static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

void micro_begin(struct micro *micro, const char *title, int argc, char **argv)
{
	*micro = (struct micro){ .title = title };
	if (argc == 3 && strcmp(argv[1], "--json") == 0) {
		micro->json_path = argv[2];
	} else if (argc != 1) {
		fprintf(stderr, "usage: %s [--json FILE]\n", argv[0]);
		exit(2);
	}
	printf("%-44s %10s %10s %10s %8s\n", title, "ns", "min", "max", "Gb/s");
	CALLGRIND_ZERO_STATS;
}

/* What callgrind has counted since the last time goes into a file of its own: "NAME / ITEMS", as compare.py reads it */
static void dump_count(const char *name, unsigned int items)
{
	char text[96];

	snprintf(text, sizeof(text), "%s / %u", name, items);
	CALLGRIND_DUMP_STATS_AT(text);
}

static void count_case(const char *name, unsigned int items, void (*run)(void *ctx), void *ctx)
{
	run(ctx);
	CALLGRIND_ZERO_STATS;
	for (unsigned int i = 0; i < COUNTED_CALLS; i++)
		run(ctx);
	dump_count(name, items * COUNTED_CALLS);
	CALLGRIND_ZERO_STATS;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static uint64_t time_calls(void (*run)(void *ctx), void *ctx, uint64_t calls)
{
	uint64_t start = now_ns();

	for (uint64_t i = 0; i < calls; i++)
		run(ctx);
	return now_ns() - start;
}

void micro_add(struct micro *micro, const char *name, size_t bytes, double *ns, unsigned int count)
{
	struct micro_result *result = &micro->results[micro->count++];

	micro_must(micro->count <= MICRO_CASES_MAX, "too many cases");
	if (RUNNING_ON_VALGRIND)
		dump_count(name, 0);
	qsort(ns, count, sizeof(ns[0]), ascending);
	snprintf(result->name, sizeof(result->name), "%s", name);
	result->bytes = bytes;
	result->min_ns = ns[0];
	result->median_ns = ns[count / 2];
	result->max_ns = ns[count - 1];
	printf("%-44s %10.1f %10.1f %10.1f", name, result->median_ns, result->min_ns, result->max_ns);
	if (bytes)
		printf(" %8.1f", 8.0 * (double)bytes / result->median_ns);
	printf("\n");
}

void micro_case(struct micro *micro, const char *name, unsigned int items, size_t bytes, void (*run)(void *ctx),
	void *ctx)
{
	double ns[REPETITIONS];
	uint64_t calls = 1;

	if (RUNNING_ON_VALGRIND) {
		count_case(name, items, run, ctx);
		return;
	}
	while (time_calls(run, ctx, calls) < REPETITION_NS)
		calls *= 2;
	for (unsigned int i = 0; i < REPETITIONS; i++)
		ns[i] = (double)time_calls(run, ctx, calls) / (double)calls / items;
	micro_add(micro, name, bytes, ns, REPETITIONS);
}

static void write_json(const struct micro *micro, FILE *file)
{
	fprintf(file, "{\"title\": \"%s\", \"cases\": [", micro->title);
	for (unsigned int i = 0; i < micro->count; i++) {
		const struct micro_result *r = &micro->results[i];

		fprintf(file,
			"%s\n\t{\"name\": \"%s\", \"bytes\": %zu, \"median_ns\": %.2f, \"min_ns\": %.2f, \"max_ns\": %.2f}",
			i ? "," : "", r->name, r->bytes, r->median_ns, r->min_ns, r->max_ns);
	}
	fprintf(file, "\n]}\n");
}

int micro_end(struct micro *micro)
{
	FILE *file;
	bool good;

	if (!micro->json_path)
		return 0;
	file = fopen(micro->json_path, "w");
	if (!file) {
		perror(micro->json_path);
		return 1;
	}
	write_json(micro, file);
	good = !ferror(file);
	good = fclose(file) == 0 && good;
	if (!good)
		perror(micro->json_path);
	return good ? 0 : 1;
}

void micro_must(bool worked, const char *what)
{
	if (worked)
		return;
	fprintf(stderr, "micro-benchmark: failed: %s\n", what);
	exit(1);
}
