/*
 * probing.h - probes, sealed and answered: for workers, for the control thread, and where there are no workers
 *
 * Whoever opens a datagram asks probing_take() what its probe records call for, and sends or tells that.  When to probe is
 * decided in contact.h, pmtu.h and, for a worker's own flow, in dispatch.c; the record's body is encap/probe.h's.
 */
#ifndef OVERLAY_PEER_PROBING_H
#define OVERLAY_PEER_PROBING_H

#include "base/clock.h"
#include "encap/probe.h"
#include "encap/record.h"
#include "encap/train.h"
#include "overlay/peer/session.h"

#include <stddef.h>
#include <stdint.h>

#define PROBING_MIN_BYTES (TRAIN_OVERHEAD_BYTES + RECORD_HEADER_BYTES + PROBE_BODY_BYTES)
#define PROBING_ANSWER_BYTES (RECORD_MAX_HEADER_BYTES + PROBE_BODY_BYTES)

/**
 * probing_seal() - a whole datagram with one probe, padded to probe->datagram_bytes
 * @sender:	the calling thread's number
 * @lane:	0, or the calling worker's own
 * @probe:	its datagram_bytes is PROBING_MIN_BYTES or more
 * @datagram:	of that many bytes
 */
enum seal_result probing_seal(struct session *session, uint32_t sender, uint32_t lane, const struct probe *probe,
	uint8_t *datagram) __attribute__((warn_unused_result));

enum probing_result {
	PROBING_ANSWER,    /* a probe: send back a RECORD_PROBE_ACK with `answer` as its body */
	PROBING_ACK,       /* one of the control thread's has come back: token, bytes */
	PROBING_FLOW_ACK,  /* one that a worker asked about its own flow with: noted in the peer */
	PROBING_MALFORMED, /* a drop */
	PROBING_RATE,      /* a drop: more acks than were ever asked for */
};

struct probing {
	uint8_t answer
		[PROBING_ANSWER_BYTES]; /* the body is at RECORD_MAX_HEADER_BYTES; in front is room for its header */
	uint64_t token;
	uint32_t bytes; /* the size that passed; 0 where none was asked about */
};

/**
 * probing_take() - what a record of type RECORD_PROBE or RECORD_PROBE_ACK calls for
 * @session:	that it came in, @lane of it: the lane's owner calls
 * @datagram_bytes: that it came in
 * @out:	the part that the result names is written
 */
enum probing_result probing_take(struct session *session, uint32_t lane, const struct record *record,
	size_t datagram_bytes, struct instant now, struct probing *out) __attribute__((warn_unused_result));

#endif /* OVERLAY_PEER_PROBING_H */
