/*
 * vnet.c - see vnet.h
 */
#include "tap/vnet.h"

#include <linux/virtio_net.h>
#include <string.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5 /* Linux 6.2 */
#endif

#define ETHERNET_BYTES 14U
#define TCP_BYTES 20U
#define UDP_BYTES 8U

_Static_assert(sizeof(struct virtio_net_hdr) == VNET_HEADER_BYTES, "the header without num_buffers");

static bool decode_gso(uint8_t type, uint8_t *out)
{
	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		*out = OFFLOAD_GSO_NONE;
		return type == VIRTIO_NET_HDR_GSO_NONE;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		*out = OFFLOAD_GSO_TCP4;
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		*out = OFFLOAD_GSO_TCP6;
		return true;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		*out = OFFLOAD_GSO_UDP;
		return type == VIRTIO_NET_HDR_GSO_UDP_L4;
	default:
		return false;
	}
}

bool vnet_decode(const uint8_t header[VNET_HEADER_BYTES], size_t frame_bytes, struct offload *out)
{
	struct offload offload = { 0 };
	struct virtio_net_hdr vnet;

	memcpy(&vnet, header, sizeof(vnet));
	if (!decode_gso(vnet.gso_type, &offload.gso))
		return false;
	if (vnet.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (vnet.csum_start < ETHERNET_BYTES ||
			(size_t)vnet.csum_start + vnet.csum_offset + sizeof(uint16_t) > frame_bytes)
			return false;
		offload.partial = true;
		offload.csum_start = vnet.csum_start;
		offload.csum_offset = vnet.csum_offset;
	}
	if (offload.gso != OFFLOAD_GSO_NONE) {
		if (!offload.partial || vnet.gso_size == 0)
			return false;
		offload.gso_bytes = vnet.gso_size;
		offload.ecn = vnet.gso_type & VIRTIO_NET_HDR_GSO_ECN;
	}
	*out = offload;
	return true;
}

static uint8_t encode_gso(const struct offload *offload)
{
	uint8_t ecn = offload->ecn ? VIRTIO_NET_HDR_GSO_ECN : 0;

	switch ((enum offload_gso)offload->gso) {
	case OFFLOAD_GSO_TCP4:
		return VIRTIO_NET_HDR_GSO_TCPV4 | ecn;
	case OFFLOAD_GSO_TCP6:
		return VIRTIO_NET_HDR_GSO_TCPV6 | ecn;
	case OFFLOAD_GSO_UDP:
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	case OFFLOAD_GSO_NONE:
		break;
	}
	return VIRTIO_NET_HDR_GSO_NONE;
}

/* How much of a super-frame the kernel should keep in one piece: without it, it would look for 64 KiB in a row */
static uint16_t header_bytes(const struct offload *offload, size_t frame_bytes)
{
	size_t bytes = offload->header_bytes;

	if (bytes == 0)
		bytes = offload->csum_start + (offload->gso == OFFLOAD_GSO_UDP ? UDP_BYTES : TCP_BYTES);
	return (uint16_t)(bytes < frame_bytes ? bytes : frame_bytes);
}

void vnet_encode(const struct offload *offload, size_t frame_bytes, uint8_t header[VNET_HEADER_BYTES])
{
	struct virtio_net_hdr vnet = { 0 };

	if (offload->partial) {
		vnet.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		vnet.csum_start = offload->csum_start;
		vnet.csum_offset = offload->csum_offset;
	}
	if (offload->gso != OFFLOAD_GSO_NONE) {
		vnet.gso_type = encode_gso(offload);
		vnet.gso_size = offload->gso_bytes;
		vnet.hdr_len = header_bytes(offload, frame_bytes);
	}
	memcpy(header, &vnet, sizeof(vnet));
}
