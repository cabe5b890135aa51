/*
 * vnet.h - Linux's struct virtio_net_hdr to and from struct offload
 *
 * What the kernel puts in front of a frame on a TAP (IFF_VNET_HDR) and on AF_PACKET (PACKET_VNET_HDR).  A pure codec;
 * for tap/ only.  Numbers are in the machine's own byte order, as the kernel has them.  hdr_len is not taken
 * over: the kernel gives the length of its linear buffer there.
 */
#ifndef TAP_VNET_H
#define TAP_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "packet/offload.h"

#define VNET_HEADER_BYTES 10U

/**
 * vnet_decode() - what the kernel left undone on a frame
 * @frame_bytes: length of the frame behind the header; the offsets are checked against it
 * @out:	written only on success
 *
 * Return: false where header and frame do not fit, or the kind of GSO is one that was not asked for
 */
bool vnet_decode(const uint8_t header[VNET_HEADER_BYTES], size_t frame_bytes, struct offload *out)
	__attribute__((warn_unused_result));

/* What we leave undone on a frame, for the kernel, which checks it */
void vnet_encode(const struct offload *offload, size_t frame_bytes, uint8_t header[VNET_HEADER_BYTES]);

#endif /* TAP_VNET_H */
