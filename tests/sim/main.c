/*
 * main.c - weft-sim: plays scenarios, and prints what became of them in the Test Anything Protocol
 */
#include "base/log.h"
#include "base/rcu.h"
#include "tests/sim/scenario.h"
#include "tests/sim/tap_lines.h"

#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define SEED 20300101U

static int usage(void)
{
	fputs("usage: weft-sim [--quick] [--seed N] [--trace FILE] [--log] [NAME...]\n", stderr);
	for (const struct scenario *at = scenarios; at->name; at++)
		fprintf(stderr, "  %-20s %s%s\n", at->name, at->says, at->quick ? "" : " (not with --quick)");
	return 2;
}

static bool chosen(const struct scenario *scenario, bool quick, char *const *names)
{
	if (!*names)
		return scenario->quick || !quick;
	for (; *names; names++)
		if (strcmp(*names, scenario->name) == 0)
			return true;
	return false;
}

/* What the options say */
struct wish {
	bool quick;
	uint64_t seed;
	FILE *trace;
};

static bool read_options(int argc, char **argv, struct wish *out)
{
	static const struct option options[] = { { "quick", no_argument, NULL, 'q' },
		{ "seed", required_argument, NULL, 's' }, { "trace", required_argument, NULL, 't' },
		{ "log", no_argument, NULL, 'l' }, { 0 } };
	int option;

	log_set_level(LOG_LEVEL_ERROR);
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'q')
			out->quick = true;
		else if (option == 's')
			out->seed = strtoull(optarg, NULL, 0);
		else if (option == 'l')
			log_set_level(LOG_LEVEL_INFO);
		else if (option != 't' || !(out->trace = fopen(optarg, "w")))
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct wish wish = { .seed = SEED };
	bool played = false, good;

	if (!read_options(argc, argv, &wish))
		return usage();
	json_object_seed(1); /* the order within an object is part of a history */
	rcu_thread_begin();
	for (const struct scenario *at = scenarios; at->name; at++) {
		if (!chosen(at, wish.quick, argv + optind))
			continue;
		at->play(at->name, wish.seed, wish.trace);
		played = true;
	}
	good = tap_plan();
	rcu_thread_end();
	if (wish.trace)
		fclose(wish.trace);
	return !played ? usage() : good ? 0 : 1;
}
