/*
 * frame.h - where things are in an Ethernet frame
 *
 * One bounded walk over a guest's frame: tags, IP header, TCP or UDP header.  It says what is there and where;
 * what follows from that is decided in switch/ and encap/.  It changes nothing, and it does not check checksums.
 *
 * Layouts: IEEE 802.3 and 802.1Q (tags), RFC 791, RFC 8200 (section 4: extension headers), RFC 9293, RFC 768.
 */
#ifndef PACKET_FRAME_H
#define PACKET_FRAME_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/addr.h"

#define FRAME_ETHERNET_BYTES 14U /* destination, source, ethertype */
#define FRAME_TAG_BYTES 4U
#define FRAME_MAX_TAGS 2U
#define FRAME_IPV4_BYTES 20U /* without options */
#define FRAME_IPV6_BYTES 40U /* without extension headers */
#define FRAME_TCP_BYTES 20U  /* without options */
#define FRAME_UDP_BYTES 8U

enum frame_ethertype {
	FRAME_ETHERTYPE_IPV4 = 0x0800,
	FRAME_ETHERTYPE_ARP = 0x0806,
	FRAME_ETHERTYPE_8021Q = 0x8100,
	FRAME_ETHERTYPE_IPV6 = 0x86dd,
	FRAME_ETHERTYPE_8021AD = 0x88a8,
	FRAME_ETHERTYPE_LLDP = 0x88cc,
};

enum frame_protocol {
	FRAME_PROTOCOL_ICMP = 1,
	FRAME_PROTOCOL_TCP = 6,
	FRAME_PROTOCOL_UDP = 17,
	FRAME_PROTOCOL_ICMPV6 = 58,
	FRAME_PROTOCOL_SCTP = 132,
};

enum frame_tcp_flag {
	FRAME_TCP_FIN = 0x01,
	FRAME_TCP_SYN = 0x02,
	FRAME_TCP_RST = 0x04,
	FRAME_TCP_PSH = 0x08,
	FRAME_TCP_ACK = 0x10,
	FRAME_TCP_URG = 0x20,
	FRAME_TCP_ECE = 0x40,
	FRAME_TCP_CWR = 0x80,
};

/* Offsets count from the frame's first byte; 0 means that the thing is not there. */
struct frame_info {
	uint32_t end_offset; /* behind the IP packet, padding follows; the frame's length where there is no IP */
	uint16_t ethertype;  /* behind the tags */
	uint16_t tci;        /* of the outer tag: priority 3, DEI 1, VLAN 12 */
	uint16_t l3_offset;  /* behind Ethernet header and tags, never 0 */
	uint16_t l4_offset;  /* behind the IP headers; 0 too for an IP fragment that is not the first */
	/* behind the TCP or UDP header of a packet that is no fragment and whose lengths agree */
	uint16_t payload_offset;
	uint8_t l2_bytes;    /* = l3_offset */
	uint8_t ip_version;  /* 4 or 6; 0: not IP, or the IP header cannot be right */
	uint8_t l4_protocol; /* enum frame_protocol, or any other number; 0 wherever l4_offset is 0 */
	bool tagged;         /* the outer tag is there (802.1Q or 802.1ad) */
	bool ip_fragment;    /* part of a fragmented packet, the first one included */
	bool ip_options;     /* IPv4 options or IPv6 extension headers are there */
	bool source_routed;  /* the final destination is not the IP header's (RFC 791 LSRR/SSRR, RFC 8200 4.4) */
};

/**
 * frame_parse() - say what @frame is
 * @frame:	borrowed
 * @len_bytes:	any value is safe; nothing behind it is read
 * @out:	written only on true
 *
 * An IP length of 0 means "to the frame's end", as segmentation offload leaves it in some guests.
 *
 * Return: false where there is no whole Ethernet header with its (at most two) tags
 */
bool frame_parse(const uint8_t *frame, size_t len_bytes, struct frame_info *out) __attribute__((warn_unused_result));

/**
 * frame_parse_ip() - the same from an IP header on, such as one within a tunnel
 * @offset:	of the IP header; at most 1024
 * @out:	written in any case; what is in front of the IP header is not looked at, and 0
 *
 * Return: false where there is no IP header that can be right
 */
bool frame_parse_ip(const uint8_t *frame, size_t len_bytes, uint32_t offset, struct frame_info *out)
	__attribute__((warn_unused_result));

/* The accessors want a frame that frame_parse() took */
static inline struct mac frame_destination(const uint8_t *frame)
{
	struct mac mac;

	memcpy(mac.bytes, frame, MAC_BYTES);
	return mac;
}

static inline struct mac frame_source(const uint8_t *frame)
{
	struct mac mac;

	memcpy(mac.bytes, frame + MAC_BYTES, MAC_BYTES);
	return mac;
}

/* Bytes of a frame as they lie, in the machine's own order: to compare and to mix, not to read a number */
static inline uint64_t frame_word64(const uint8_t *at)
{
	uint64_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

static inline uint32_t frame_word32(const uint8_t *at)
{
	uint32_t word;

	memcpy(&word, at, sizeof(word));
	return word;
}

/* Big-endian loads and stores at an offset that frame_parse() vouched for */
static inline uint16_t frame_get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return be16toh(value);
}

static inline uint32_t frame_get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return be32toh(value);
}

static inline void frame_put16(uint8_t *at, uint16_t value)
{
	value = htobe16(value);
	memcpy(at, &value, sizeof(value));
}

static inline void frame_put32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

#endif /* PACKET_FRAME_H */
