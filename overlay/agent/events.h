/*
 * events.h - what an agent tells people of: the table of its events, and who notices most of them
 *
 * An event is one row, and a call of agent_event() where it happens.  What is a state (of a peer, of a port, of the topology) is not
 * told where it changes: agent_events_notice() compares what there is with what was told last, a moment after anything
 * happened.  So no state can change without its event, however it came about, and one that changes back within
 * AGENT_EVENTS_NOTICE_MS is told once or not at all.  The newest AGENT_EVENTS_MAX are kept, for `weft events` on this host;
 * reports carry the last of them, which the controller knows again by their numbers.  Control thread.
 */
#ifndef OVERLAY_AGENT_EVENTS_H
#define OVERLAY_AGENT_EVENTS_H

#include "base/clock.h"
#include "base/events.h"

#include <jansson.h>

#define AGENT_EVENTS_MAX 512U
#define AGENT_EVENTS_NOTICE_MS 100U
#define AGENT_EVENTS_REPORT_MS 1000U  /* between reports for events alone */
#define AGENT_EVENTS_REPORTED 64U     /* the newest, */
#define AGENT_EVENTS_REPORTED_S 60    /* of these those of the last minute, */
#define AGENT_EVENTS_REPORTED_OLD 16U /* and so many however old, for a controller that was away */
#define AGENT_EVENTS_STEP_S 2 /* the clock is said to be set when it is off by more, against the monotonic one */

/* name, as `weft events` has it, how bad, what it says where no words are given */
#define AGENT_EVENTS(X)                                                                                          \
	X(STARTED, "started", INFO, "weftd begins")                                                              \
	X(PORT_UP, "port-up", INFO, "carries frames")                                                            \
	X(PORT_DOWN, "port-down", ERROR, "does not carry all that it should")                                    \
	X(PEER_UP, "peer-up", INFO, "answers")                                                                   \
	X(PEER_LOST, "peer-lost", WARNING, "no session; looking for it")                                         \
	X(PEER_SILENT, "peer-silent", WARNING, "does not answer")                                                \
	X(PEER_UNREACHABLE, "peer-unreachable", ERROR, "cannot be reached")                                      \
	X(PEER_REFUSED, "peer-refused", ERROR, "may not be a peer")                                              \
	X(PEER_CLONED, "peer-cloned", ERROR, "two machines use its keys")                                        \
	X(PEER_GONE, "peer-gone", WARNING, "has said goodbye, or is named by the topology no more")              \
	X(CONTROLLER_CONNECTED, "controller-connected", INFO, "topologies come, reports go")                     \
	X(CONTROLLER_LOST, "controller-lost", WARNING, "going on with the topology at hand")                     \
	X(CONTROLLER_MOVED, "controller-moved", INFO, "it is reached at another address, and this host follows") \
	X(TOPOLOGY_APPLIED, "topology-applied", INFO, "every port forwards, or says why not")                    \
	X(TOPOLOGY_REJECTED, "topology-rejected", ERROR, "going on with the one before")                         \
	X(CLOCK_STEP, "clock-step", WARNING, "the clock was set")                                                \
	X(ADDRESS_CHANGED, "address-changed", INFO, "this machine's addresses or routes are others now")         \
	X(CLONE, "clone", ERROR, "another machine has this host's identity")

enum agent_event {
#define X(name, text, severity, words) AGENT_EVENT_##name,
	AGENT_EVENTS(X)
#undef X
		AGENT_EVENTS_COUNT
};

struct core;
struct agent_events;

/* Return: NULL without memory */
struct agent_events *agent_events_new(time_t wall, struct instant now);

/* NULL is fine */
void agent_events_free(struct agent_events *events);

/**
 * agent_event() - something has happened
 * @about:	which port ("lab/port"), which host; "": the agent itself
 * @format:	words in place of the row's; NULL: those
 */
void agent_event(struct core *core, enum agent_event event, const char *about, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Tell of what has another state than was told last */
void agent_events_notice(struct core *core);

/* Return: the number of the newest; 0: none yet */
uint64_t agent_events_newest(const struct agent_events *events);

/* What belongs into a report made at @wall.  Return: a list, new */
json_t *agent_events_report(const struct agent_events *events, time_t wall);

/* All after the number @after that there still are.  Return: a list, new */
json_t *agent_events_list(const struct agent_events *events, uint64_t after);

#endif /* OVERLAY_AGENT_EVENTS_H */
