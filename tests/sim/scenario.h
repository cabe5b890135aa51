/*
 * scenario.h - all scenarios, one row each
 */
#ifndef TESTS_SIM_SCENARIO_H
#define TESTS_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct scenario {
	const char *name;
	const char *says; /* what it shows */
	bool quick;       /* done in a few seconds: part of make check */
	void (*play)(const char *name, uint64_t seed, FILE *trace);
};

extern const struct scenario scenarios[]; /* the last has no name */

#endif /* TESTS_SIM_SCENARIO_H */
