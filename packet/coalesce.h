/*
 * coalesce.h - joins what came off the wire into super-frames for a port, as a NIC's GRO would
 *
 * Neighbours: overlay/ feeds it the frames of a burst and writes out what it emits; segment.h cuts again what a port
 * cannot take whole.  It joins nothing across bursts, keeps no time and copies no payload.
 *
 * Theory of operation
 *   One coalescer stands in front of one port, in one worker.  It holds at most COALESCE_FLOWS flows (tags, addresses,
 *   protocol, ports), each a row of frames whose payloads will leave as one iovec list behind the first one's headers.
 *   Held are only frames that came with P: their checksum is vouched for by the AEAD, so that a joined checksum lies
 *   about nothing.  A frame joins its flow's row where a NIC's GRO would join it: same headers but for lengths, id,
 *   seq, PSH and FIN; the next seq; ids that count up (or stand still, with DF); the same payload length or, as the
 *   last, a shorter one.  PSH and FIN end a row.  UDP datagrams join where the port takes USO.
 *   With P, padding behind the IP packet is not handed on.
 *   Everything else leaves at once and alone, behind its own flow's row, so that no flow is reordered.  An IP packet of
 *   which the ports cannot be told (fragments, other protocols) leaves behind all rows between its two addresses.  A
 *   ninth flow pushes out the oldest row.
 *   Frames larger than the guest's segment size (gso_bytes) join rows of the same size, which keep that size.  A port
 *   without the offload gets every frame cut and its checksums computed.
 */
#ifndef PACKET_COALESCE_H
#define PACKET_COALESCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "packet/packet.h"
#include "packet/segment.h"

#define COALESCE_FLOWS 8U
#define COALESCE_MAX_SEGMENTS 64U
#define COALESCE_MAX_IP_BYTES 65535U

/* name, counter as operators see it, what it means and what to do (weft help drop) */
#define COALESCE_DROPS(X)                                                                                      \
	X(PARTIAL, "coalesce-partial",                                                                         \
		"A peer sent a frame with its checksum left undone that has none to be completed. Run the "    \
		"same version of weft on all hosts; if that is so already, please report it.")                 \
	X(GSO, "coalesce-gso",                                                                                 \
		"A peer sent a super-frame of a kind or size that cannot be. Run the same version of weft on " \
		"all hosts; if that is so already, please report it.")

enum coalesce_result {
	COALESCE_OK,
#define X(name, text, why) COALESCE_DROP_##name,
	COALESCE_DROPS(X)
#undef X
		COALESCE_RESULTS
};

/**
 * coalesce_emit - frames for the port
 * @ctx:	as given to coalesce_init()
 * @packets:	borrowed for the call, in order; what each leaves undone is nothing that the port's caps did not offer.  One that
 *		is in pieces has all headers in the first of them
 */
typedef void coalesce_emit(void *ctx, struct packet *const packets[], unsigned int count);

/* One flow's frames, in order; iov[0] is left free for the port, iov[1] is the first whole, the others are payload */
struct coalesce_row {
	struct frame_info info; /* of the first frame */
	uint32_t bytes;         /* of all pieces */
	uint32_t next_seq;
	uint32_t payload_bytes; /* of the first frame */
	uint32_t born;          /* counts rows */
	uint16_t next_ip_id;
	uint16_t gso_bytes; /* the guest's, where the first frame carried it */
	uint8_t tcp_flags;  /* or'ed */
	uint8_t n;
	bool fixed_ip_id;
	struct iovec iov[COALESCE_MAX_SEGMENTS + 1];
};

/* Owned by one worker; caller's memory; no _fini, but what it holds is flushed first */
struct coalescer {
	coalesce_emit *emit;
	void *ctx;
	unsigned int caps; /* enum offload_caps */
	unsigned int held; /* a bit for each row in use */
	uint32_t born;
	uint32_t hash[COALESCE_FLOWS];
	struct coalesce_row rows[COALESCE_FLOWS];
	struct segmenter segmenter;
};

/**
 * coalesce_init() - for one port
 * @caps:	what the port takes, bits of enum offload_caps; segmentation without OFFLOAD_CAP_CSUM counts for nothing
 * @emit:	called from within coalesce_add() and coalesce_flush(); it may not call back into @c
 */
void coalesce_init(struct coalescer *c, unsigned int caps, coalesce_emit *emit, void *ctx);

/**
 * coalesce_add() - one frame off the wire
 * @packet:	parsed, and with offload in the wire's form.  The descriptor is not kept, the frame is borrowed until
 *		coalesce_flush(): headers are edited in place, and where it has to be cut, payload too
 *
 * Return: COALESCE_OK (emitted or held), or the drop that the caller counts
 */
enum coalesce_result coalesce_add(struct coalescer *c, struct packet *packet) __attribute__((warn_unused_result));

/* Emit all that is held: at the end of every burst, before the buffers are used again */
void coalesce_flush(struct coalescer *c);

#endif /* PACKET_COALESCE_H */
