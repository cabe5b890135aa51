/*
 * doctor.c - see doctor.h
 */
#include "overlay/agent/doctor.h"

#include "base/checkup.h"
#include "base/enrolment.h"
#include "overlay/agent/core.h"
#include "overlay/agent/questions.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a name that is asked for ------------------------------------------------------------------------------ */

enum asking_state {
	ASKING,
	ASKED,     /* `answer` is there; the thread is done with it */
	ABANDONED, /* nobody waits: the thread frees it */
};

struct asking {
	int state; /* atomic */
	json_t *answer;
	char name[256];
};

static void asking_free(struct asking *asking)
{
	json_decref(asking->answer);
	free(asking);
}

static void *ask(void *arg)
{
	struct asking *asking = arg;

	asking->answer = checkup_resolve(asking->name);
	if (__atomic_exchange_n(&asking->state, ASKED, __ATOMIC_ACQ_REL) == ABANDONED)
		asking_free(asking);
	return NULL;
}

static void asking_drop(struct asking *asking)
{
	if (asking && __atomic_exchange_n(&asking->state, ABANDONED, __ATOMIC_ACQ_REL) == ASKED)
		asking_free(asking);
}

/* Signals are the control thread's */
static struct asking *asking_begin(const char *name)
{
	struct asking *asking = calloc(1, sizeof(*asking));
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int err;

	if (!asking)
		return NULL;
	snprintf(asking->name, sizeof(asking->name), "%s", name);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attr, ask, asking);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	if (!err)
		return asking;
	free(asking);
	return NULL;
}

/* ---- questions --------------------------------------------------------------------------------------------- */

static void end(struct doctors *doctors, uint32_t i)
{
	struct doctor doctor = doctors->doctor[i];

	doctors->doctor[i] = doctors->doctor[--doctors->count];
	asking_drop(doctor.asking);
	reply_send(doctor.reply, doctor.facts);
}

struct instant doctors_tick(struct core *core)
{
	struct doctors *doctors = &core->doctors;

	for (uint32_t i = 0; i < doctors->count;) {
		struct doctor *doctor = &doctors->doctor[i];
		const bool asked = doctor->asking && __atomic_load_n(&doctor->asking->state, __ATOMIC_ACQUIRE) == ASKED;

		if (asked)
			json_object_set(doctor->facts, "resolved", doctor->asking->answer);
		if (asked || !doctor->asking || instant_since_ms(core->now, doctor->asked) >= DOCTOR_PATIENCE_MS)
			end(doctors, i);
		else
			i++;
	}
	return doctors->count ? instant_add_ms(core->now, DOCTOR_LOOK_MS) : (struct instant){ 0 };
}

void doctors_fini(struct doctors *doctors)
{
	for (uint32_t i = 0; i < doctors->count; i++) {
		json_decref(doctors->doctor[i].facts);
		asking_drop(doctors->doctor[i].asking);
	}
	doctors->count = 0;
}

/* "name:port", "[address]:port", "name" */
static void host_of(const char *address, char *out, size_t cap_bytes)
{
	const char *colon = strrchr(address, ':');
	int len = (int)strlen(address);

	if (address[0] == '[')
		snprintf(out, cap_bytes, "%.*s", (int)strcspn(address + 1, "]"), address + 1);
	else
		snprintf(out, cap_bytes, "%.*s", colon ? (int)(colon - address) : len, address);
}

static uint32_t largest_mtu(const struct topology *topology)
{
	uint32_t mtu = 0;

	for (uint32_t i = 0; i < topology->networks_count; i++)
		if (topology->networks[i].network.mtu_bytes > mtu)
			mtu = topology->networks[i].network.mtu_bytes;
	return mtu;
}

/* {}: {"status": as "status" without MACs, "machine": checkup.h's, "udp_port", "network_mtu", "descriptors_needed", "resolved"?} */
void doctor_question(const struct questions_source *source, const json_t *args, struct reply *reply)
{
	struct core *core = source->core;
	struct doctor doctor = { .reply = reply };
	struct status_facts facts;
	char name[256];
	json_t *status;

	(void)args;
	if (core->doctors.count == DOCTORS_MAX) {
		reply_fail(reply, "%u checks are under way already; try again in some seconds", DOCTORS_MAX);
		return;
	}
	source->facts(source->ctx, &facts);
	status = status_document(core, &facts);
	json_object_del(status, "macs");
	doctor.facts = json_pack("{s:o, s:o, s:i, s:i, s:i}", "status", status, "machine", checkup_machine(),
		"udp_port", (int)facts.udp_port, "network_mtu", (int)largest_mtu(&core->topology), "descriptors_needed",
		(int)(64 + (core->ports.count + 4) * facts.workers));
	host_of(facts.controller_wanted ? facts.controller_wanted : facts.controller, name, sizeof(name));
	doctor.asking = asking_begin(name);
	doctor.asked = core->now;
	core->doctors.doctor[core->doctors.count++] = doctor;
	source->facts(source->ctx, &facts); /* for the loop to know when to come back */
}
