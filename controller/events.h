/*
 * events.h - the controller's own events, one row each; agents have theirs in overlay/agent/events.h
 */
#ifndef CONTROLLER_EVENTS_H
#define CONTROLLER_EVENTS_H

/* name, as `weft events` has it, how bad, what it says where no words are given */
#define CONTROLLER_EVENTS(X)                                                         \
	X(STARTED, "controller-started", INFO, "weft-controller begins")             \
	X(MOVED, "controller-moved", INFO, "hosts reach it at another address")      \
	X(HOST_ONLINE, "host-online", INFO, "its agent listens for its topology")    \
	X(HOST_OFFLINE, "host-offline", WARNING, "its agent's connection has ended") \
	X(HOST_CLONED, "host-cloned", ERROR, "two machines use its keys")            \
	X(TOKEN_MADE, "token-made", INFO, "it can join with it, once")               \
	X(TOKEN_USED, "token-used", INFO, "it has joined with its token")            \
	X(ENROLMENT_FAILED, "enrolment-failed", WARNING, "somebody could not join")  \
	X(REVOKED, "host-revoked", WARNING, "its certificate has ended")             \
	X(REMOVED, "host-removed", WARNING, "it is forgotten, with its tokens")      \
	X(LAB_APPLIED, "lab-applied", INFO, "it is stored, and hosts are told")      \
	X(LAB_DELETED, "lab-deleted", INFO, "its networks and ports go")             \
	X(EVENTS_LOST, "events-lost", WARNING, "this host had more to tell than it could")

enum controller_event {
#define X(name, text, severity, words) CONTROLLER_EVENT_##name,
	CONTROLLER_EVENTS(X)
#undef X
		CONTROLLER_EVENTS_COUNT
};

#endif /* CONTROLLER_EVENTS_H */
