/*
 * tunnel.h - what stands in front of an inner TCP, UDP or SCTP header, and changes with it when the packet is cut
 *
 * A guest's own tunnel (VXLAN, Geneve, GRE, IPIP, SIT, MPLS...) in a super-frame: the kernel says where the inner header is
 * (csum_start) and not what is around it.  Neighbours: frame.h reads each IP header, segment.h cuts, settle.h asks.
 *
 * Theory of operation.  The walk goes from the outer IP header inwards as long as each header says what follows it: IP in IP, and
 * GRE with IP.  What says nothing of its own length (what UDP carries, Ethernet, MPLS, NSH, ERSPAN) is not read: the innermost IP
 * header is the one in front of csum_start whose length and protocol are right.  So any UDP tunnel is understood, on any port.
 * Linux offers no super-frame of which two tunnels would have to be mended behind such a gap.
 *
 * Layouts: RFC 768, 791, 8200; RFC 2784 and 2890 (GRE); RFC 7348 and 8926 are not needed.
 */
#ifndef PACKET_TUNNEL_H
#define PACKET_TUNNEL_H

#include "packet/frame.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TUNNEL_LAYERS_MAX 8U
#define TUNNEL_START_MAX 512U /* an inner header further back than this is not looked for */

enum tunnel_kind {
	TUNNEL_IPV4,
	TUNNEL_IPV6,
	TUNNEL_UDP,
	TUNNEL_GRE,
};

struct tunnel_layer {
	uint8_t kind; /* enum tunnel_kind */
	bool checksum;
	uint16_t offset;
	uint16_t sequence_at; /* GRE: from the frame's first byte; 0: none */
	uint16_t pseudo_sum;  /* UDP with a checksum: of the pseudo header without its length, not inverted */
};

/* Layers from the outside in; the innermost IP header is not one of them but inner's */
struct tunnel {
	uint8_t count;
	struct tunnel_layer layers[TUNNEL_LAYERS_MAX];
	struct frame_info inner; /* as frame_parse()'s of the innermost IP header, but for Ethernet and tags */
};

/**
 * tunnel_find() - what is in front of an inner header
 * @frame:	borrowed
 * @outer:	frame_parse()'s
 * @start:	where the inner TCP, UDP or SCTP header is
 * @protocol:	which of them
 * @ip_version: of the innermost IP header; 0: any
 * @out:	written also where false is returned
 *
 * Return: false where no innermost IP header leads to @start
 */
bool tunnel_find(const uint8_t *frame, const struct frame_info *outer, uint32_t start, uint8_t protocol,
	uint8_t ip_version, struct tunnel *out) __attribute__((warn_unused_result));

/**
 * tunnel_write() - lengths, ids, sequence numbers and checksums around a segment
 * @frame:	its headers as the super-frame had them; from the innermost IP header on as they shall be
 * @bytes:	of the segment
 * @index:	how many came before it
 * @start:	of its inner TCP or UDP header
 * @inner_sum:	of all from there to the end, with the checksum that is there, folded
 */
void tunnel_write(const struct tunnel *tunnel, uint8_t *frame, uint32_t bytes, uint32_t index, uint32_t start,
	uint16_t inner_sum);

#endif /* PACKET_TUNNEL_H */
