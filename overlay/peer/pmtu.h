/*
 * pmtu.h - the largest datagram that a path takes, found by probing (RFC 8899 in spirit)
 *
 * Theory of operation, per peer, in UDP payload bytes:
 *
 *   SEARCHING	`works` is known to pass, `fails` is not: probes of sizes between them, each up to PMTU_TRIES times
 *		without an answer before it counts as failed.  The first probe is the route's MTU, which on most
 *		paths ends the search in one round trip; then what a hint named; then 1500's; then halving down to
 *		PMTU_STEP_BYTES.
 *   DONE	`works` stands.  Every PMTU_RAISE_MS the largest size is tried again, since paths grow.
 *
 * In both, while there is traffic, `works` is confirmed every PMTU_CONFIRM_MS, since a path that shrinks says nothing;
 * without an answer the search starts again from the base.  That may have been loss, so what the search finds is not
 * left at that for a minute but for PMTU_RETRY_MS.
 *
 * The base is tried itself where nothing above it passes: if it fails as well, the path is too small to be served, which is said, and tried again
 * every PMTU_RETRY_MS.  Whatever passes of that size or more proves it.
 *
 * While nothing at all passes, everything fails: pmtu_revived() tells that it was that, and the search starts over.
 *
 * What ICMP told the kernel is a hint and never believed: it only makes the confirmation happen now, and names a size to
 * try.  Sans I/O: the control thread sends what pmtu_poll() asks for and tells of acknowledgements.
 */
#ifndef OVERLAY_PEER_PMTU_H
#define OVERLAY_PEER_PMTU_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define PMTU_BASE_MTU 1280U /* every IPv6 path; IPv4 paths below it are not served */
#define PMTU_MAX_MTU 9216U
#define PMTU_STEP_BYTES 8U
#define PMTU_TRIES 3U
#define PMTU_CONFIRM_MS 500U
#define PMTU_RAISE_MS 60000U
#define PMTU_RETRY_MS 5000U

enum pmtu_state {
	PMTU_SEARCHING,
	PMTU_DONE,
};

struct pmtu {
	enum pmtu_state state;
	uint32_t base_bytes;  /* PMTU_BASE_MTU less the headers */
	uint32_t limit_bytes; /* the outgoing interface's MTU less the headers; never exceeded */
	uint32_t works_bytes;
	uint32_t fails_bytes; /* limit_bytes + 1 until something failed */
	uint32_t hint_bytes;  /* worth trying; 0: none */
	uint32_t probe_bytes; /* the size being tried; 0: none */
	uint32_t tries;
	bool fell;                   /* what worked failed, since the last search */
	bool base_proven, too_small; /* the base has passed, or has failed, since the path is known */
	struct instant tried_at;
	struct instant confirm_at;
	struct instant raise_at;
	struct instant failed_at; /* when a size was given up last */
};

/**
 * pmtu_init() - a path of which nothing is known
 * @header_bytes:	IP and UDP: 28 or 48
 * @route_mtu:		the outgoing interface's, 0 where unknown
 */
void pmtu_init(struct pmtu *pmtu, uint32_t header_bytes, uint32_t route_mtu, struct instant now);

/**
 * pmtu_poll() - what is to be probed now
 * @busy:	data went out on the path since the last call
 * @answer_ms:	an answer that has not come by then does not come: some round trips
 *
 * Return: size of the probe datagram to send, 0 for none.  `works_bytes` may have changed.
 */
uint32_t pmtu_poll(struct pmtu *pmtu, bool busy, uint64_t answer_ms, struct instant now)
	__attribute__((warn_unused_result));

/* A probe of @bytes came through */
void pmtu_acked(struct pmtu *pmtu, uint32_t bytes, struct instant now);

/* Something claims that no more than @bytes pass: confirm now what we believe, and if it fails try this */
void pmtu_hint(struct pmtu *pmtu, uint32_t bytes, struct instant now);

/* The kernel itself refused @bytes on the way out: believe it at once */
void pmtu_refused(struct pmtu *pmtu, uint32_t bytes);

/* The outgoing interface's MTU may have changed */
void pmtu_route(struct pmtu *pmtu, uint32_t route_mtu, struct instant now);

/* The peer is heard again that was silent @since: what failed in the meantime failed for that */
void pmtu_revived(struct pmtu *pmtu, struct instant since, struct instant now);

/* Return: true while an answer is awaited, so that the caller polls often */
static inline bool pmtu_is_urgent(const struct pmtu *pmtu)
{
	return pmtu->probe_bytes != 0 || pmtu->state == PMTU_SEARCHING;
}

#endif /* OVERLAY_PEER_PMTU_H */
