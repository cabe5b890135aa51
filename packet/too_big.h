/*
 * too_big.h - tells a guest that its packet does not fit: ICMP and ICMPv6, as a router on the path would
 *
 * For networks on which fragmenting is switched off.  A pure codec: overlay/ decides when, and limits the rate.
 * Sources: RFC 1191 (next-hop MTU), RFC 1122 section 3.2.2 and RFC 4443 sections 2.4 and 3.2 (what may be answered).
 */
#ifndef PACKET_TOO_BIG_H
#define PACKET_TOO_BIG_H

#include <stddef.h>
#include <stdint.h>

#include "packet/frame.h"

#define TOO_BIG_MAX_BYTES (FRAME_ETHERNET_BYTES + FRAME_MAX_TAGS * FRAME_TAG_BYTES + 1280U)
#define TOO_BIG_IPV6_MIN_MTU 1280U /* RFC 8200 section 5: no IPv6 host believes less */

/**
 * too_big_create() - the answer to a frame
 * @frame:	borrowed
 * @len_bytes:	of @frame
 * @info:	of @frame, from frame_parse()
 * @mtu_bytes:	what the path carries as one IP packet
 * @out:	the answer, in the same VLAN as @frame, from the packet's destination back to its source
 *
 * Return: the answer's length; 0 where there must be none: no IP, IPv4 without DF, IPv6 below its minimum MTU, a group or
 * missing address, a fragment that is not the first, an ICMP error
 */
size_t too_big_create(const uint8_t *frame, size_t len_bytes, const struct frame_info *info, uint32_t mtu_bytes,
	uint8_t out[TOO_BIG_MAX_BYTES]) __attribute__((warn_unused_result));

#endif /* PACKET_TOO_BIG_H */
