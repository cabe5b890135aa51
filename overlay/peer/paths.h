/*
 * paths.h - the ways to a peer: what each is, how well it works, and which one is in use
 *
 * Theory of operation.  A path is known once the peer was heard on it or answered there.  One is in use, which workers send
 * by (underlay/path.h is what they read of it); the others keep what was last known of them until their place is needed, the one that
 * was used longest ago first.  A path that comes into use begins anew: its size is searched for, its round trip measured, since
 * both may have changed meanwhile.
 *
 *	TRYING	in use, nothing sent on it was answered yet
 *	GOOD	the last probe on it was answered, or may still be
 *	LOST	a probe was not answered before the next one went out
 *	IDLE	not in use
 *
 * Loss is of small probes only, which are sent seldom: an average over the last dozen, there to compare paths.  Probes for the
 * path's size are lost on purpose and do not count.  Sans I/O; owner: the control thread.
 */
#ifndef OVERLAY_PEER_PATHS_H
#define OVERLAY_PEER_PATHS_H

#include "base/addr.h"
#include "base/clock.h"
#include "overlay/peer/pmtu.h"

#include <stdbool.h>
#include <stdint.h>

#define PATHS_MAX 4U
#define PATH_TEXT_BYTES 320U
#define PATHS_ANSWER_MIN_MS 150U
#define PATHS_ANSWER_MAX_MS 1000U

/* name, as people see it */
#define PATH_KINDS(X) X(DIRECT, "direct") /* UDP between the two hosts' endpoints */

#define PATH_STATES(X)      \
	X(TRYING, "trying") \
	X(GOOD, "good")     \
	X(LOST, "lost")     \
	X(IDLE, "idle")

enum path_kind {
#define X(name, text) PATH_##name,
	PATH_KINDS(X)
#undef X
		PATH_KINDS_COUNT
};

enum path_state {
#define X(name, text) PATH_##name,
	PATH_STATES(X)
#undef X
		PATH_STATES_COUNT
};

struct peer_path {
	enum path_kind kind;
	enum path_state state;
	struct instant since; /* the state is so */
	struct endpoint endpoint;
	uint64_t rtt_us;         /* smoothed; 0: unknown */
	uint32_t loss_permille;  /* of small probes */
	struct instant asked_at; /* a small probe is out since; 0: none is */
	uint32_t unanswered;     /* of small probes, the last ones in a row, without the one that is out */
	struct instant used_at;  /* when it came into use, or left it */
	struct pmtu pmtu;
};

/* Zeroed memory is a peer without any */
struct paths {
	struct peer_path path[PATHS_MAX];
	uint32_t count;
	uint32_t in_use;
};

/* Return: the path in use; NULL where none is known */
static inline struct peer_path *paths_in_use(struct paths *paths)
{
	return paths->count ? &paths->path[paths->in_use] : NULL;
}

/* Return: IP's and UDP's headers in front of a datagram to @endpoint */
uint32_t path_header_bytes(const struct endpoint *endpoint);

/**
 * paths_use() - have the path to @endpoint in use from now on, known or not; one that is in use begins anew
 * @device_mtu:	of the interface that leads there; 0 where unknown
 *
 * Return: the path
 */
struct peer_path *paths_use(struct paths *paths, enum path_kind kind, const struct endpoint *endpoint,
	uint32_t device_mtu, struct instant now);

/* A small probe went out on it */
void path_probed(struct peer_path *path, struct instant now);

/* A probe of any size, sent at @sent, came back */
void path_acked(struct peer_path *path, struct instant sent, struct instant now);

/* Why it carries less than it should, for people, with what to do; "" where it does not */
void path_shortcoming(const struct peer_path *path, char out[PATH_TEXT_BYTES]);

/* Return: how long an answer may take */
uint64_t path_answer_ms(const struct peer_path *path);

const char *path_kind_name(enum path_kind kind);
const char *path_state_name(enum path_state state);

#endif /* OVERLAY_PEER_PATHS_H */
