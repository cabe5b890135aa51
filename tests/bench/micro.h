/*
 * micro.h - times one small thing at a time: nanoseconds per packet, median of several repetitions
 *
 * A micro-benchmark is a program micro_*.c that makes its data, hands each case to micro_case(), and ends with
 * micro_end().  It prints a table, and writes it as JSON with `--json FILE`.  Caches are warm and nothing else is
 * done between two calls, so the figures are lower bounds of what the same code costs within weftd.
 *
 * Under callgrind nothing is timed: each case makes a fixed number of calls, whose instructions are dumped under its name.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stdbool.h>
#include <stddef.h>

#define MICRO_CASES_MAX 128U

struct micro_result {
	char name[64];
	size_t bytes; /* of one item; 0: does not matter */
	double median_ns, min_ns, max_ns;
};

struct micro {
	const char *title;
	const char *json_path; /* NULL: none */
	unsigned int count;
	struct micro_result results[MICRO_CASES_MAX];
};

/* Reads the arguments; ends the process where they are wrong */
void micro_begin(struct micro *micro, const char *title, int argc, char **argv);

/**
 * micro_case() - time @run
 * @items:	packets, segments, lookups that one call does; the figures are per item
 * @bytes:	of one item, for the throughput column
 */
void micro_case(struct micro *micro, const char *name, unsigned int items, size_t bytes, void (*run)(void *ctx),
	void *ctx);

/* The same for what was timed elsewhere: @count repetitions, nanoseconds per item, which are sorted */
void micro_add(struct micro *micro, const char *name, size_t bytes, double *ns, unsigned int count);

/* Return: the process's exit status */
int micro_end(struct micro *micro);

/* What a measured call does must have worked: ends the process where it has not */
void micro_must(bool worked, const char *what);

#endif /* BENCH_MICRO_H */
