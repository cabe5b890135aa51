/*
 * split.h - the datagrams in one captured UDP payload
 *
 * Neighbours: dissect.c finds the payload, meter.c counts what comes out; encap/gre.h reads the headers.
 *
 * Theory of operation: on a veth pair, or on any host with offloads, what a capture shows as one packet
 * may be a train of many datagrams that was not cut yet (UDP_SEGMENT) or that was joined already
 * (UDP_GRO).  All segments of a train are of one size but for the last, which may be shorter; the size
 * itself is not in the capture.  It is found by looking for the first place where the seven bytes of
 * flags, protocol and session that begin the payload stand again, and it is believed if they stand at
 * every further multiple that was captured.  Sealed bytes look random: they imitate this once in 2^56
 * places.  The lane and the counter are not compared, since GRO may join the datagrams of several
 * lanes, and with gaps.
 *
 * Where the capture cut the packet off (a small --snaplen), the segments behind the cut are assumed to
 * go on from the last header seen, by one counter each, and are marked so.  A train whose second header
 * was cut off already passes for a single datagram; so does one whose second datagram belongs to
 * another session, which takes a GRO at the moment of a rekey.
 */
#ifndef MEASURE_SPLIT_H
#define MEASURE_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encap/gre.h"

struct split {
	const uint8_t *payload; /* borrowed */
	size_t captured_bytes;
	size_t payload_bytes;
	size_t segment_bytes; /* payload_bytes where it is a single datagram */
	size_t at_bytes;
	struct gre last; /* what an assumed segment goes on from */
	bool last_ok;
	bool done;
};

struct split_datagram {
	enum gre_result result; /* gre is only there with GRE_OK */
	struct gre gre;
	size_t len_bytes;
	bool assumed;
	uint8_t first_byte; /* behind the GRE header: a handshake's type; 0 where not captured */
};

/**
 * split_begin() - find out whether the payload is a train
 * @payload:	borrowed while the split is used
 * @captured_bytes: how much of it there is
 * @payload_bytes: how long it was on the wire, at least @captured_bytes
 */
void split_begin(struct split *split, const uint8_t *payload, size_t captured_bytes, size_t payload_bytes);

/* Return: false once there are no more datagrams; an empty payload has one, which is too short */
bool split_next(struct split *split, struct split_datagram *out) __attribute__((warn_unused_result));

#endif /* MEASURE_SPLIT_H */
