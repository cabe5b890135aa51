/*
 * dispatch.h - datagram trains: records gathered for a peer, sealed and sent
 */
#ifndef OVERLAY_DATAPATH_DISPATCH_H
#define OVERLAY_DATAPATH_DISPATCH_H

#include "base/clock.h"
#include "encap/record.h"
#include "encap/train.h"
#include "overlay/peer/peer.h"
#include "overlay/peer/session.h"

#include <stdbool.h>
#include <stdint.h>

struct worker;

/* A datagram train on its way to one peer */
struct dispatch {
	struct train train;
	struct peer *peer;
	struct session *session;
	const struct path *path;
	uint32_t lane; /* 0, or the worker's own */
	bool carries;  /* frames, not only answers to probes */
};

/* Whether a worker's own flow to a peer gets through: dispatch.c asks */
struct flow_question {
	struct instant last;
	struct instant open_since; /* of the questions not answered yet, the first */
	struct instant sent;       /* anything, last */
	struct instant better_since;
	uint32_t lane; /* in use: 0 or the worker's own */
};

/* What a worker has of a peer, by the peer's slot */
struct worker_peer {
	struct instant wanted_at; /* MAIL_WANT_SESSION was sent */
	struct flow_question question;
	uint8_t dispatch; /* index + 1 of its latest train, 0: none is open */
};

#define DISPATCHES_MAX 32U
#define DISPATCH_BYTES (128U * 1024U) /* sent once this much has gathered, while it is in the cache */

/* The token of a probe by which a worker asks about its own flow: the time, and in the low bits the lane */
static inline uint64_t flow_token(struct instant now, uint32_t lane)
{
	return (now.ns & ~(uint64_t)(SESSION_LANES_MAX - 1)) | lane;
}

/* The peer's train, begun where there is none.  Return: NULL where it cannot be sent to: counted */
struct dispatch *dispatch_for(struct worker *worker, struct peer *peer);

/**
 * dispatch_record() - put one record into a datagram
 * @dispatch:	dispatch_for()'s, not to be used again: it may have been sent
 * @record:	L is added to its flags where it is needed; RECORD_MAX_HEADER_BYTES in front of its body may be overwritten
 */
void dispatch_record(struct worker *worker, struct dispatch *dispatch, struct record *record);

/* Seal what is open and send all that has gathered */
void dispatch_flush(struct worker *worker);

/* The control thread looks at peers that something happens with; of one that was quiet it has to be told */
void dispatch_stir(struct worker *worker, struct peer *peer);

#endif /* OVERLAY_DATAPATH_DISPATCH_H */
