/*
 * drops.h - one number and one name for every way in which weftd loses or refuses something
 *
 * Each module names its own drops (an X-macro list in its header); here they become one array of counters a
 * thread, and one table of names for operators.
 */
#ifndef OVERLAY_PEER_DROPS_H
#define OVERLAY_PEER_DROPS_H

#include "base/counter.h"
#include "crypto/handshake.h"
#include "crypto/replay.h"
#include "encap/fragment.h"
#include "encap/gre.h"
#include "encap/record.h"
#include "packet/coalesce.h"
#include "packet/segment.h"
#include "switch/forward.h"
#include "tap/port.h"

/* name, counter as operators see it */
#define OVERLAY_DROPS(X)                                                                                        \
	X(SESSION_UNKNOWN, "session-unknown") /* no session has this index, or not any more */                  \
	X(SESSION_EXPIRED, "session-expired") /* past its last moment */                                        \
	X(LANE_UNKNOWN, "lane-unknown")       /* the session has fewer lanes */                                 \
	X(LANE_FOREIGN, "lane-foreign")       /* steered to a worker that does not own the lane */              \
	X(NOT_AUTHENTIC, "not-authentic")     /* tampered with, or random */                                    \
	X(NETWORK_UNKNOWN, "network-unknown") /* this host is not on the network */                             \
	X(FRAME_SHORT, "frame-short")         /* a record that is no Ethernet frame */                          \
	X(PROBE_MALFORMED, "probe-malformed")                                                                   \
	X(PROBE_RATE, "probe-rate")         /* a peer answers more probes than were sent */                     \
	X(NO_SESSION, "no-session")         /* the peer cannot be reached yet */                                \
	X(LANE_EXHAUSTED, "lane-exhausted") /* a key's last message was sent, its successor is not here */      \
	X(SEAL_FAILED, "seal-failed")                                                                           \
	X(UDP_FULL, "udp-full")           /* the socket's buffer or the device's queue */                       \
	X(UDP_TOO_BIG, "udp-too-big")     /* over an interface's MTU: the path has shrunk */                    \
	X(UDP_ERROR, "udp-error")         /* any other refusal of the kernel, such as no route */               \
	X(PEER_GONE, "peer-gone")         /* it has left the topology meanwhile */                              \
	X(UDP_TRUNCATED, "udp-truncated")                                                                       \
	X(PORT_CLOSED, "port-closed")               /* the port is on its way in or out */                      \
	X(HANDSHAKE_MAC, "handshake-mac")           /* mac1 wrong: a scan, or meant for another key */          \
	X(HANDSHAKE_COOKIE, "handshake-cookie")     /* under load: answered with a cookie */                    \
	X(HANDSHAKE_RATE, "handshake-rate")         /* a peer, or under load an address, that asks too often */ \
	X(HANDSHAKE_STRANGER, "handshake-stranger") /* authentic, but no host of the topology */                \
	X(HANDSHAKE_REPLAY, "handshake-replay")                                                                 \
	X(HANDSHAKE_FULL, "handshake-full") /* no free session index, or no memory */

/* clang-format off: it takes each list for the start of an expression */
enum drop {
#define X(name, text) DROP_##name,
	OVERLAY_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_GRE_##name,
		GRE_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_RECORD_##name,
			RECORD_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_REPLAY_##name,
				REPLAY_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_SEGMENT_##name,
					SEGMENT_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_COALESCE_##name,
						COALESCE_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_FRAGMENT_##name,
							FRAGMENT_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_SWITCH_##name,
								SWITCH_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_TAP_##name,
									TAP_DROPS(X)
#undef X
#define X(name, text) DROP_FROM_HANDSHAKE_##name,
										HANDSHAKE_DROPS(X)
#undef X
											DROPS
};
/* clang-format on */

/* A module's result, which is a drop, as one of ours */
static inline enum drop drop_gre(enum gre_result result)
{
	return (enum drop)(DROP_FROM_GRE_SHORT + (int)result - (int)GRE_DROP_SHORT);
}

static inline enum drop drop_record(enum record_result result)
{
	return (enum drop)(DROP_FROM_RECORD_TRUNCATED + (int)result - (int)RECORD_DROP_TRUNCATED);
}

static inline enum drop drop_replay(enum replay_result result)
{
	return (enum drop)(DROP_FROM_REPLAY_DUPLICATE + (int)result - (int)REPLAY_DROP_DUPLICATE);
}

static inline enum drop drop_segment(enum segment_result result)
{
	return (enum drop)(DROP_FROM_SEGMENT_OFFLOAD + (int)result - (int)SEGMENT_DROP_OFFLOAD);
}

static inline enum drop drop_coalesce(enum coalesce_result result)
{
	return (enum drop)(DROP_FROM_COALESCE_PARTIAL + (int)result - (int)COALESCE_DROP_PARTIAL);
}

static inline enum drop drop_fragment(enum fragment_result result)
{
	return (enum drop)(DROP_FROM_FRAGMENT_OVERSIZE + (int)result - (int)FRAGMENT_DROP_OVERSIZE);
}

static inline enum drop drop_switch(enum switch_result result)
{
	return (enum drop)(DROP_FROM_SWITCH_NOT_MEMBER + (int)result - (int)SWITCH_DROP_NOT_MEMBER);
}

static inline enum drop drop_tap(enum tap_result result)
{
	return (enum drop)(DROP_FROM_TAP_SHORT + (int)result - (int)TAP_DROP_SHORT);
}

static inline enum drop drop_handshake(enum handshake_result result)
{
	return (enum drop)(DROP_FROM_HANDSHAKE_LENGTH + (int)result - (int)HANDSHAKE_DROP_LENGTH);
}

/* Return: the name for operators */
const char *drop_name(enum drop drop);

struct drops {
	struct counter count[DROPS];
};

/* The owning thread only */
static inline void drops_count(struct drops *drops, enum drop drop, uint64_t n)
{
	counter_add(&drops->count[drop], n);
}

#endif /* OVERLAY_PEER_DROPS_H */
