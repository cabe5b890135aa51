/*
 * test_vnet.c - the kernel's offload header, both ways, and every header that lies
 */
#include "tap/vnet.h"

#include <linux/virtio_net.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_BYTES 1514U
#define UDP_L4 5

static bool decode(struct virtio_net_hdr vnet, size_t frame_bytes, struct offload *out)
{
	uint8_t bytes[VNET_HEADER_BYTES];

	memcpy(bytes, &vnet, sizeof(bytes));
	return vnet_decode(bytes, frame_bytes, out);
}

static struct virtio_net_hdr super(uint8_t type)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = type,
		.hdr_len = 54,
		.gso_size = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
}

static void plain_frames(void **state)
{
	struct offload offload;

	(void)state;
	memset(&offload, 0xff, sizeof(offload));
	assert_true(decode((struct virtio_net_hdr){ 0 }, 14, &offload));
	assert_false(offload.partial || offload.ecn);
	assert_int_equal(offload.gso, OFFLOAD_GSO_NONE);
	assert_int_equal(offload.gso_bytes, 0);
	/* a checksum that the kernel has verified is as good as none to do */
	assert_true(decode((struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_DATA_VALID }, 60, &offload));
	assert_false(offload.partial);
}

static void partial_checksums(void **state)
{
	struct virtio_net_hdr vnet = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM, .csum_start = 34, .csum_offset = 6 };
	struct offload offload;

	(void)state;
	assert_true(decode(vnet, 42, &offload));
	assert_true(offload.partial);
	assert_int_equal(offload.csum_start, 34);
	assert_int_equal(offload.csum_offset, 6);
	assert_false(decode(vnet, 41, &offload)); /* the field would end behind the frame */
	vnet.csum_start = 13;
	assert_false(decode(vnet, FRAME_BYTES, &offload)); /* inside the Ethernet header */
	vnet.csum_start = 0xffff;
	vnet.csum_offset = 0xffff;
	assert_false(decode(vnet, 65600, &offload)); /* the sum must not wrap */
}

static void super_frames(void **state)
{
	static const struct {
		uint8_t type, gso;
	} kinds[] = {
		{ VIRTIO_NET_HDR_GSO_TCPV4, OFFLOAD_GSO_TCP4 },
		{ VIRTIO_NET_HDR_GSO_TCPV6, OFFLOAD_GSO_TCP6 },
		{ UDP_L4, OFFLOAD_GSO_UDP },
	};
	struct virtio_net_hdr vnet;
	struct offload offload;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_true(decode(super(kinds[i].type), 60000, &offload));
		assert_int_equal(offload.gso, kinds[i].gso);
		assert_int_equal(offload.gso_bytes, 1448);
		assert_true(offload.partial);
		assert_false(offload.ecn);
	}
	assert_true(decode(super(VIRTIO_NET_HDR_GSO_TCPV4 | VIRTIO_NET_HDR_GSO_ECN), 60000, &offload));
	assert_true(offload.ecn);
	vnet = super(VIRTIO_NET_HDR_GSO_TCPV4);
	vnet.gso_size = 0;
	assert_false(decode(vnet, 60000, &offload));
	vnet = super(VIRTIO_NET_HDR_GSO_TCPV4);
	vnet.flags = 0;
	assert_false(decode(vnet, 60000, &offload)); /* nothing to cut it by */
}

static void unknown_kinds_are_refused(void **state)
{
	struct offload offload;

	(void)state;
	for (unsigned int type = 0; type < 256; type++) {
		bool known = type == 0 || type == 1 || type == 4 || type == 5 || type == 0x81 || type == 0x84;

		assert_int_equal(decode(super((uint8_t)type), 60000, &offload), known);
	}
}

/* Member by member: between them are bytes that mean nothing */
static bool same(const struct offload *a, const struct offload *b)
{
	return a->partial == b->partial && a->ecn == b->ecn && a->gso == b->gso && a->gso_bytes == b->gso_bytes &&
		a->header_bytes == b->header_bytes && a->csum_start == b->csum_start &&
		a->csum_offset == b->csum_offset;
}

static void what_is_encoded_is_decoded(void **state)
{
	(void)state;
	srand(5);
	for (int i = 0; i < 100000; i++) {
		struct offload in = { .gso = (uint8_t)(rand() % 4), .partial = rand() % 2 }, out;
		size_t frame_bytes = 14 + (size_t)rand() % 65000;
		uint8_t header[VNET_HEADER_BYTES];

		in.partial = in.partial || in.gso;
		if (in.partial) {
			frame_bytes += 40;
			in.csum_start = (uint16_t)(14 + (size_t)rand() % (frame_bytes - 30));
			in.csum_offset = (uint16_t)((size_t)rand() % (frame_bytes - in.csum_start - 1));
		}
		if (in.gso) {
			in.gso_bytes = (uint16_t)(1 + rand() % 65535);
			in.ecn = in.gso != OFFLOAD_GSO_UDP && rand() % 2;
		}
		vnet_encode(&in, frame_bytes, header);
		assert_true(vnet_decode(header, frame_bytes, &out));
		assert_true(same(&in, &out));
	}
}

static uint16_t encoded_header_bytes(const struct offload *offload, size_t frame_bytes)
{
	uint8_t bytes[VNET_HEADER_BYTES];
	struct virtio_net_hdr vnet;

	vnet_encode(offload, frame_bytes, bytes);
	memcpy(&vnet, bytes, sizeof(vnet));
	return vnet.hdr_len;
}

static void the_kernel_hears_how_long_the_headers_are(void **state)
{
	struct offload offload = { .partial = true, .csum_start = 34, .csum_offset = 16 };

	(void)state;
	assert_int_equal(encoded_header_bytes(&offload, 60000), 0);
	offload.gso = OFFLOAD_GSO_TCP4;
	offload.gso_bytes = 1448;
	assert_int_equal(encoded_header_bytes(&offload, 60000), 54);
	assert_int_equal(encoded_header_bytes(&offload, 50), 50);
	offload.header_bytes = 66;
	assert_int_equal(encoded_header_bytes(&offload, 60000), 66);
	offload.header_bytes = 0;
	offload.gso = OFFLOAD_GSO_UDP;
	assert_int_equal(encoded_header_bytes(&offload, 60000), 42);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_frames),
		cmocka_unit_test(partial_checksums),
		cmocka_unit_test(super_frames),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(the_kernel_hears_how_long_the_headers_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
