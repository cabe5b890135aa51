/*
 * mss.h - lowers the segment size that a guest announces, so that its TCP fits the path
 *
 * For guests that cut their own segments (no TSO): without it each full segment would travel as two fragments.  What
 * segment.c cuts needs none of this and is not hurt by it.  Source: RFC 9293 section 3.7.1; RFC 1624 for the checksum.
 */
#ifndef PACKET_MSS_H
#define PACKET_MSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/frame.h"

#define MSS_MIN_BYTES 536U /* IPv4's default (RFC 9293 section 3.7.1): never clamped below */

/**
 * mss_clamp() - rewrite the MSS option of a SYN where it is larger than fits
 * @frame:	edited in place
 * @info:	of @frame, from frame_parse()
 * @partial:	its TCP checksum is still partial, and needs no mending
 * @max_frame_bytes: what the path carries as one frame, Ethernet header and tags included
 *
 * Return: whether it was changed
 */
bool mss_clamp(uint8_t *frame, const struct frame_info *info, bool partial, size_t max_frame_bytes);

#endif /* PACKET_MSS_H */
