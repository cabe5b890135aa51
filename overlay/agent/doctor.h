/*
 * doctor.h - the question "doctor": what this agent and its machine know that tells why something does not work
 *
 * Facts, not findings: what they mean together with other hosts' is judged by who asks (cli/checks.h).  All but one are at hand;
 * the controller's name is asked for in a thread of its own, as that may take long, for DOCTOR_PATIENCE_MS at most.  A
 * thread that is still at it then ends by itself, and frees what is its own.  The control thread.
 */
#ifndef OVERLAY_AGENT_DOCTOR_H
#define OVERLAY_AGENT_DOCTOR_H

#include "base/clock.h"

#include <jansson.h>
#include <stdint.h>

#define DOCTORS_MAX 4U
#define DOCTOR_LOOK_MS 50U
#define DOCTOR_PATIENCE_MS 4000U

struct core;
struct reply;
struct asking;

struct doctors {
	struct doctor {
		struct reply *reply;
		json_t *facts;
		struct asking *asking;
		struct instant asked;
	} doctor[DOCTORS_MAX];
	uint32_t count;
};

/* Answer what can be answered.  Return: when to call again; 0: none waits */
struct instant doctors_tick(struct core *core);

/* Nobody is told any more */
void doctors_fini(struct doctors *doctors);

#endif /* OVERLAY_AGENT_DOCTOR_H */
