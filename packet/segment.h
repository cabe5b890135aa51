/*
 * segment.h - cuts super-frames: to fit the path on the way in, to the guest's segment size at a port that must
 *
 * What a NIC does for TSO and USO, in place.  Neighbours: csum.h below; overlay/ seals each segment, coalesce.h uses
 * the port's half.  It does not fragment: what may not be cut comes out whole, and fragment.h is next.
 *
 * Theory of operation
 *   TCP is a stream, so a TCP super-frame is cut wherever the path is full, and its segments say by gso_bytes what
 *   the guest's own segment size was when they are larger than that.  An ordinary TCP frame with a partial checksum
 *   that is too long for the path is cut as well.  UDP keeps its datagrams: a super-frame is cut where the guest said.
 *   Nothing is copied: the headers of each segment are written in front of its payload, over payload that has been
 *   yielded before, and what was there is put back at the next call.  So
 *     - a segment is one contiguous run, valid until the next segment_next();
 *     - the caller may write SEGMENT_HEADROOM_BYTES in front of it (record and fragment headers), also in front of
 *       the first, where that room must belong to the frame's buffer;
 *     - the caller may write nothing else, nor behind it: sealing goes to another buffer;
 *     - after segment_next() has returned false, the frame is what it was, and may be cut again for another peer.
 *   As with a NIC: IPv4 id counts up, lengths and the IPv4 header checksum are each segment's own, TCP seq goes on, FIN
 *   and PSH are the last's, CWR is the first's, options and tags are everybody's.
 *   A guest's own tunnel (tunnel.h) is cut by its inner TCP or UDP where its guest said, and each segment is whole: lengths, ids
 *   and checksums of all headers are its own.  What says that a packet is over 64 KiB (RFC 2675) is left out of the segments.
 */
#ifndef PACKET_SEGMENT_H
#define PACKET_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/packet.h"
#include "packet/tunnel.h"

#define SEGMENT_HEADROOM_BYTES 16U
#define SEGMENT_MAX_HEADER_BYTES 512U /* Ethernet to the (inner) TCP or UDP, of a frame that is to be cut */
#define SEGMENT_MIN_MSS 48U           /* a smaller TCP segment size is refused: it only multiplies work */
#define SEGMENT_MAX_DATAGRAMS 128U    /* in a UDP super-frame, as Linux has it (UDP_MAX_SEGMENTS) */

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define SEGMENT_DROPS(X)                                                                                        \
	X(OFFLOAD, "segment-offload",                                                                           \
		"A frame whose checksum or segmentation request contradicts its headers, so that it cannot be " \
		"completed in software. Turn the offload off where the frame comes from (ethtool -K DEV tso "   \
		"off gso off tx off in the guest).")                                                            \
	X(HEADERS, "segment-headers",                                                                           \
		"A super-frame with headers that weft cannot cut, such as unknown extension headers. Turn "     \
		"segmentation offload off where it comes from (ethtool -K DEV tso off gso off in the guest).")  \
	X(COUNT, "segment-count",                                                                               \
		"A super-frame that would become too many or too small segments. Raise the guest's TCP "        \
		"segment size (its MTU is far too small), or turn its segmentation offload off (ethtool -K "    \
		"DEV tso off gso off).")                                                                        \
	X(ROOM, "segment-room",                                                                                 \
		"The path to a peer is so narrow that headers leave no room for payload. Raise the MTU of the " \
		"underlay (weft status peers shows it) to 1280 or more.")

enum segment_result {
	SEGMENT_OK,
#define X(name, text, why) SEGMENT_DROP_##name,
	SEGMENT_DROPS(X)
#undef X
		SEGMENT_RESULTS
};

/* Owned by one worker; caller's memory; no _fini */
struct segmenter {
	uint8_t *frame;
	uint8_t *saved_at; /* where the last segment covered the frame's own bytes; NULL: nowhere */
	uint32_t saved_bytes;
	uint32_t frame_bytes;
	uint32_t payload_bytes; /* of the whole frame */
	uint32_t done_bytes;    /* of that, yielded */
	uint32_t cut_bytes;     /* payload of each segment but the last; 0: the frame comes out as it is */
	uint32_t seq;           /* TCP, of the next segment */
	uint16_t ip_id;         /* IPv4, of the next segment */
	uint16_t ip_id_step;    /* how many a segment takes: as many as the guest's own that it will be */
	uint16_t ip_sum;        /* of the IPv4 header without length and id, not inverted */
	uint16_t pseudo_sum;    /* of the pseudo header without its length, not inverted */
	uint16_t gso_bytes;     /* the guest's, where segments are to tell it */
	uint16_t header_bytes;
	uint16_t l3_offset;
	uint16_t l4_offset;
	uint8_t ip_version;
	uint8_t l4_protocol;
	uint8_t checksum;    /* enum segment_checksum, segment.c */
	uint8_t jumbo_bytes; /* of the frame's headers, which the segments' lack */
	bool partial;
	bool done;
	uint32_t index; /* of the next segment */
	struct tunnel tunnel;
	uint8_t header[SEGMENT_MAX_HEADER_BYTES];
	uint8_t saved[SEGMENT_HEADROOM_BYTES + SEGMENT_MAX_HEADER_BYTES];
};

/**
 * segment_begin() - from a port to the path
 * @packet:	parsed, the caller's alone; borrowed until segment_next() returns false; SEGMENT_HEADROOM_BYTES in front of it
 *		are used too.  A partial checksum that the wire cannot say (csum_is_native()) is completed here, and
 *		offload.partial cleared
 * @max_frame_bytes: what fits into one datagram as a frame record's body.  Longer segments can come out all the
 *		same, from frames that may not be cut (UDP datagrams, no TCP, no partial checksum): fragments for those
 *
 * Return: SEGMENT_OK, or the drop that the caller counts
 */
enum segment_result segment_begin(struct segmenter *s, struct packet *packet, size_t max_frame_bytes)
	__attribute__((warn_unused_result));

/**
 * segment_begin_port() - to a port that takes no super-frames of this kind: cut where the guest would have
 * @packet:	offload.gso and gso_bytes say where; partial must be set where there is something to cut
 * @complete:	compute the checksum of each segment; otherwise each one's is partial, with its own pseudo header sum.  Those
 *		of a tunnel are always computed
 */
enum segment_result segment_begin_port(struct segmenter *s, struct packet *packet, bool complete)
	__attribute__((warn_unused_result));

/**
 * segment_begin_split() - a super-frame over 64 KiB in ones that are not
 * @packet:	csum_is_native(); each segment is partial, with its own pseudo header sum, and says by gso_bytes what the
 *		guest's own segments are
 */
enum segment_result segment_begin_split(struct segmenter *s, struct packet *packet) __attribute__((warn_unused_result));

/**
 * segment_next() - the next segment, of which at least one comes
 * @out:	a packet of the caller's: where it lies, its length, whether its checksum is still to be computed as
 *		csum_is_native() means it (offload.partial: P), and the guest's segment size where this one's payload is
 *		larger (offload.gso_bytes: G; else 0).  Of a partial checksum that holds the pseudo header's sum also
 *		csum_start and csum_offset.  Nothing else of it is written
 *
 * Return: false after the last
 */
bool segment_next(struct segmenter *s, struct packet *out) __attribute__((warn_unused_result));

#endif /* PACKET_SEGMENT_H */
