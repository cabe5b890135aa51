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
	X(UDP_FULL, "udp-full")       /* the socket's buffer or the device's queue */                           \
	X(UDP_TOO_BIG, "udp-too-big") /* over an interface's MTU: the path has shrunk */                        \
	X(UDP_ERROR, "udp-error")     /* any other refusal of the kernel, such as no route */                   \
	X(PEER_GONE, "peer-gone")     /* it has left the topology meanwhile */                                  \
	X(UDP_TRUNCATED, "udp-truncated")                                                                       \
	X(PORT_CLOSED, "port-closed")               /* the port is on its way in or out */                      \
	X(HANDSHAKE_MAC, "handshake-mac")           /* mac1 wrong: a scan, or meant for another key */          \
	X(HANDSHAKE_COOKIE, "handshake-cookie")     /* under load: answered with a cookie */                    \
	X(HANDSHAKE_RATE, "handshake-rate")         /* a peer, or under load an address, that asks too often */ \
	X(HANDSHAKE_STRANGER, "handshake-stranger") /* authentic, but no host of the topology */                \
	X(HANDSHAKE_REPLAY, "handshake-replay")                                                                 \
	X(HANDSHAKE_FULL, "handshake-full") /* no free session index, or no memory */

/*
 * The modules that lose or refuse something: prefix of what is in the module's header (prefix_result) and of its list
 * (PREFIX_DROPS).  A drop is a row in its module's list; a module with a list is a row here.
 */
#define DROP_MODULES(M)       \
	M(gre, GRE)           \
	M(record, RECORD)     \
	M(replay, REPLAY)     \
	M(segment, SEGMENT)   \
	M(coalesce, COALESCE) \
	M(fragment, FRAGMENT) \
	M(switch, SWITCH)     \
	M(tap, TAP)           \
	M(handshake, HANDSHAKE)

#define DROP_ONE_MORE(name, text) +1
#define DROP_COUNT(list) (0 list(DROP_ONE_MORE))

/* Weftd's own by name; a module's by drop_MODULE(), from the number that follows the last one of the module before */
enum drop {
#define X(name, text) DROP_##name,
	OVERLAY_DROPS(X)
#undef X
#define M(module, MODULE) \
	DROP_FIRST_##MODULE, DROP_LAST_##MODULE = DROP_FIRST_##MODULE + DROP_COUNT(MODULE##_DROPS) - 1,
		DROP_MODULES(M)
#undef M
			DROPS
};

/* drop_gre(GRE_DROP_SHORT) and so on: a module's result that is a drop, as one of ours.  Drops are the last of its results */
#define M(module, MODULE)                                                                           \
	static inline enum drop drop_##module(enum module##_result result)                          \
	{                                                                                           \
		return (enum drop)(DROP_LAST_##MODULE + 1 - ((int)MODULE##_RESULTS - (int)result)); \
	}
DROP_MODULES(M)
#undef M

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
