/*
 * rivals.h - two machines that use one host's keys, as a copied disk makes them: the one that answers stays, the other is told
 *
 * Theory of operation (crypto/HANDSHAKE.md section 3).  A handshake from elsewhere than where the peer is, by another run of its program
 * than the one that we have a session with, while that one is up, is a question: is the one that we know still there?  It is probed;
 * the handshake is not answered, and its sender tries again.  If RIVAL_ANSWER_MS later nothing was heard from the one that we
 * know, who asks is the peer, restarted or restored elsewhere.  Else there are two, and the one that came later is refused, each time anew.
 * Roaming is not concerned: it is a datagram in the session that moves a path.
 *
 * Sans I/O; owner: the control thread.
 */
#ifndef OVERLAY_PEER_RIVALS_H
#define OVERLAY_PEER_RIVALS_H

#include "base/addr.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define RIVAL_ANSWER_MS 300U
#define RIVAL_VALID_MS 40000U /* a question that nobody came back to: longer than between any two attempts */
#define RIVAL_SHOWN_MS 60000U /* after the last refusal */
#define RIVAL_TEXT_BYTES 320U

struct overlay;
struct peer;

/* What a peer has of it.  Zeroed memory: nothing */
struct rival {
	struct instant asked_at; /* whether the one that we know is still there; 0: not asked */
	struct instant refused_at;
	struct endpoint from; /* the one that was refused last */
};

enum rival_verdict {
	RIVAL_NONE,    /* it is the peer */
	RIVAL_WAIT,    /* to be seen: drop it */
	RIVAL_REFUSED, /* there are two */
};

/* Who @instance is, whose handshake as @peer came from @from; the peer may be probed for it */
enum rival_verdict rival_judge(struct overlay *overlay, struct peer *peer, uint64_t instance,
	const struct endpoint *from) __attribute__((warn_unused_result));

/* Return: whether one was refused lately */
bool rival_is_shown(const struct peer *peer, struct instant now);

/* What people are told of it; "" where there is nothing to tell */
void rival_text(const struct peer *peer, struct instant now, char out[RIVAL_TEXT_BYTES]);

#endif /* OVERLAY_PEER_RIVALS_H */
