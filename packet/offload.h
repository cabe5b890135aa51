/*
 * offload.h - what a frame leaves to be done by whoever sends it last: checksum and segmentation
 *
 * weft's own form of Linux's struct virtio_net_hdr, so that tap/, which reads and writes that header, and
 * encap/, which cuts and joins frames, speak of the same thing without knowing each other.
 */
#ifndef PACKET_OFFLOAD_H
#define PACKET_OFFLOAD_H

#include <stdbool.h>
#include <stdint.h>

enum offload_gso {
	OFFLOAD_GSO_NONE,
	OFFLOAD_GSO_TCP4,
	OFFLOAD_GSO_TCP6,
	OFFLOAD_GSO_UDP, /* UDP_L4 (USO): whole datagrams of the guest, IPv4 or IPv6 */
};

struct offload {
	bool partial;          /* the checksum at csum_start + csum_offset holds the pseudo header's sum only */
	bool ecn;              /* TCP: CWR belongs to the first segment only */
	uint8_t gso;           /* enum offload_gso */
	uint16_t gso_bytes;    /* payload of every segment but the last; 0 without GSO */
	uint16_t header_bytes; /* Ethernet to L4 inclusive, 0 if unknown; a hint, never trusted */
	uint16_t csum_start;   /* from the frame's first byte */
	uint16_t csum_offset;  /* from csum_start */
};

/* What a port takes off our hands when frames are written to it, as bits */
enum offload_caps {
	OFFLOAD_CAP_CSUM = 1U << 0,
	OFFLOAD_CAP_TSO4 = 1U << 1,
	OFFLOAD_CAP_TSO6 = 1U << 2,
	OFFLOAD_CAP_USO = 1U << 3,
};

#endif /* PACKET_OFFLOAD_H */
