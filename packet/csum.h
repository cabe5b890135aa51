/*
 * csum.h - the internet checksum, and the partial checksums of offloads
 *
 * RFC 1071.  Sums are kept in the machine's byte order in 64 bits and folded at the end.  "Partial" is what Linux
 * calls CHECKSUM_PARTIAL: the checksum field holds the folded sum of the pseudo header, and whoever sends the frame
 * last adds the rest.  Used by segment.c and coalesce.c, and by overlay/ for a frame that goes straight to a port.
 */
#ifndef PACKET_CSUM_H
#define PACKET_CSUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/frame.h"
#include "packet/offload.h"

#define CSUM_SCTP_OFFSET 8U /* of the checksum in SCTP's header, which no other protocol has there */

/* Add @len_bytes to @sum; only the last piece of a row may be of odd length.  Any alignment. */
uint64_t csum_add(uint64_t sum, const void *bytes, size_t len_bytes);

/* Return: @sum in 16 bits, not inverted, in the byte order of the bytes summed (store it with memcpy()) */
static inline uint16_t csum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + ((sum >> 16) & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

/* Return: where the header of @info's protocol, TCP or UDP, keeps its checksum, from its first byte */
static inline uint16_t csum_field_offset(const struct frame_info *info)
{
	return info->l4_protocol == FRAME_PROTOCOL_TCP ? 16 : 6;
}

/* Return: the sum of the IPv4 or IPv6 pseudo header (RFC 9293 3.1, RFC 8200 8.1) for @l4_bytes of @info's protocol */
uint64_t csum_pseudo(const uint8_t *frame, const struct frame_info *info, uint32_t l4_bytes);

/* Return: true for a whole TCP or UDP packet to its IP header's own destination: what may come with the P flag */
static inline bool csum_can_be_partial(const struct frame_info *info)
{
	return info->payload_offset != 0 && !info->source_routed;
}

/**
 * csum_is_native() - may the wire's P flag stand for this partial checksum?
 * @info:	of the frame that @offload came with
 *
 * Return: true where @offload is partial, and exactly the checksum of the TCP or UDP header that @info found, so that
 * the far side can set it up again from the frame alone (not so for an inner header, a fragment, a source route)
 */
bool csum_is_native(const struct frame_info *info, const struct offload *offload);

/**
 * csum_complete() - finish a partial checksum in software, whatever it is, but SCTP's
 * @len_bytes:	the frame's length, or its IP packet's end: padding does not count
 * @offload:	partial is cleared
 *
 * A sum of 0 is written as 0xffff: UDP's rule (RFC 768), and the same number for all others.
 *
 * Return: false where the field lies outside of the frame; the frame is left as it was
 */
bool csum_complete(uint8_t *frame, size_t len_bytes, struct offload *offload) __attribute__((warn_unused_result));

/* Return: the CRC32c (RFC 9260 appendix A) of @len_bytes, as it is stored: least significant byte first, with memcpy() */
uint32_t csum_crc32c(const void *bytes, size_t len_bytes);

/**
 * csum_complete_sctp() - the same for SCTP, whose checksum is a CRC32c over header and chunks and has no pseudo header
 * @end_bytes:	its IP packet's end, to the byte
 */
bool csum_complete_sctp(uint8_t *frame, size_t end_bytes, struct offload *offload) __attribute__((warn_unused_result));

/**
 * csum_prepare() - make the checksum partial: the receiving side of the P flag
 * @frame:	its checksum field is overwritten with the pseudo header's sum
 * @info:	of @frame; end_offset says how long the packet is
 * @out:	partial, csum_start and csum_offset are written
 *
 * Return: false where not csum_can_be_partial(); nothing is changed then
 */
bool csum_prepare(uint8_t *frame, const struct frame_info *info, struct offload *out)
	__attribute__((warn_unused_result));

/* Write the IPv4 header's checksum; @info says IPv4 */
void csum_ipv4_header(uint8_t *frame, const struct frame_info *info);

/* Return: true where the IPv4 header's checksum holds; @info says IPv4 */
bool csum_ipv4_header_ok(const uint8_t *frame, const struct frame_info *info);

/* Return: true where every checksum that @info found (IPv4 header, TCP, UDP) holds; UDP over IPv4 may have none */
bool csum_verify(const uint8_t *frame, const struct frame_info *info);

#endif /* PACKET_CSUM_H */
