/*
 * settle.h - what only a veth's sender may leave undone is done as the packet comes in
 *
 * A TAP's reader has said what it takes over (TUNSETOFFLOAD), AF_PACKET's cannot: it gets whatever the sender's device can do.
 * Here that becomes what any port and the wire understand, so that nothing behind needs to know of it:
 *   - a super-frame of the guest's own tunnel: segments as the guest would have sent them, whole;
 *   - a super-frame over 64 KiB ("BIG TCP"): super-frames that are not;
 *   - SCTP's checksum, which is no internet checksum: computed.
 * Neighbours: transmit.c asks for each packet out of a port; segment.h and csum.h do the work.
 */
#ifndef PACKET_SETTLE_H
#define PACKET_SETTLE_H

#include "packet/csum.h"
#include "packet/packet.h"
#include "packet/segment.h"

#include <stdbool.h>

#define SETTLE_IP_BYTES_MAX 65535U

/* Owned by one worker; caller's memory; no _fini */
struct settler {
	struct packet *whole;
	bool cut;
	bool done;
	struct segmenter segmenter;
};

/* Return: whether @packet, which is parsed and out of a port, is such a one; few are */
static inline bool settle_needed(const struct packet *packet)
{
	const struct offload *offload = &packet->offload;
	const struct frame_info *info = &packet->info;

	return (offload->partial &&
		       (offload->csum_start != info->l4_offset || offload->csum_offset != csum_field_offset(info))) ||
		packet->bytes > info->l3_offset + SETTLE_IP_BYTES_MAX;
}

/**
 * settle_begin() - the first step
 * @packet:	the caller's alone; borrowed until settle_next() returns false, and changed
 *
 * Return: SEGMENT_OK, or the drop that the caller counts
 */
enum segment_result settle_begin(struct settler *s, struct packet *packet) __attribute__((warn_unused_result));

/**
 * settle_next() - the next packet that stands for it
 * @out:	a copy of the whole one's descriptor with its own bytes, to be parsed; good until the next call.  The caller may
 *		write to it and its headroom
 *
 * Return: false after the last
 */
bool settle_next(struct settler *s, struct packet *out) __attribute__((warn_unused_result));

#endif /* PACKET_SETTLE_H */
