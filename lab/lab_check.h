/*
 * lab_check.h - can this lab be applied?
 *
 * What one value cannot say of itself: whether its host and network are there, whether its interface and MAC address are free, within
 * the lab and among all others.  Knows nothing of the store: what it has to know of hosts and of other labs it asks
 * through struct lab_world.
 */
#ifndef LAB_LAB_CHECK_H
#define LAB_LAB_CHECK_H

#include "lab/fault.h"
#include "lab/lab.h"

#include <jansson.h>
#include <stdbool.h>

enum lab_host {
	LAB_HOST_UNKNOWN,
	LAB_HOST_REVOKED,
	LAB_HOST_OK,
};

struct lab_world {
	void *ctx;
	enum lab_host (*host)(void *ctx, const char *name);
	/* The object whose keys are the names of all hosts, borrowed; for suggestions */
	const json_t *(*hosts)(void *ctx);
	/* Who of another lab than @lab has attached @interface of @host: "lab/port", or NULL */
	const char *(*attached_by)(void *ctx, const char *host, const char *interface, const char *lab);
};

#define LAB_CHECK_FAULTS_MAX 64U

/* Return: false with @first set at the place of the first thing that is wrong; of each port's first one where there is a list for all */
bool lab_check(const struct lab *lab, const struct lab_world *world, struct fault *first)
	__attribute__((warn_unused_result));

#endif /* LAB_LAB_CHECK_H */
