/*
 * frames.h - frames for the tests of real devices, and waiting for them
 */
#ifndef TESTS_UNIT_TAP_FRAMES_H
#define TESTS_UNIT_TAP_FRAMES_H

#include <arpa/inet.h>
#include <poll.h>
#include <string.h>

#include "tap/port.h"

#define FRAME_WAIT_MS 5000
#define FRAME_MSS 1400U

struct test_frame {
	struct offload offload;
	size_t len_bytes;
	uint8_t bytes[PACKET_BYTES_MAX];
};

/* A TCP/IPv4 frame with its checksum left undone; a super-frame where @payload_bytes is over FRAME_MSS */
static inline void frame_build(struct test_frame *frame, int vlan, size_t payload_bytes)
{
	static const uint8_t macs[12] = { 0x52, 0x54, 0, 0, 0, 0xb, 0x52, 0x54, 0, 0, 0, 0xa };
	uint8_t *at = frame->bytes;
	uint32_t sum = 0;

	memset(frame, 0, sizeof(*frame));
	memcpy(at, macs, sizeof(macs));
	at += sizeof(macs);
	if (vlan) {
		memcpy(at, (uint8_t[]){ 0x81, 0x00, (uint8_t)(vlan >> 8), (uint8_t)vlan }, 4);
		at += 4;
	}
	memcpy(at, (uint8_t[]){ 0x08, 0x00 }, 2);
	at += 2;
	memcpy(at,
		(uint8_t[]){ 0x45, 0, (uint8_t)((payload_bytes + 40) >> 8), (uint8_t)(payload_bytes + 40), 0, 1, 0x40,
			0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 },
		20);
	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	at[10] = (uint8_t)(sum >> 8);
	at[11] = (uint8_t)sum;
	at += 20;
	memcpy(at, (uint8_t[]){ 0x12, 0x34, 0x56, 0x78, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 0, 0, 0, 0, 0 }, 20);
	sum = 0x0a00 + 0x0001 + 0x0a00 + 0x0002 + 6 + 20 + (uint32_t)payload_bytes;
	sum = (sum & 0xffff) + (sum >> 16);
	at[16] = (uint8_t)(sum >> 8);
	at[17] = (uint8_t)sum;
	frame->offload.partial = true;
	frame->offload.csum_start = (uint16_t)(at - frame->bytes);
	frame->offload.csum_offset = 16;
	at += 20;
	for (size_t i = 0; i < payload_bytes; i++)
		at[i] = (uint8_t)(i * 7);
	frame->len_bytes = (size_t)(at - frame->bytes) + payload_bytes;
	if (payload_bytes > FRAME_MSS) {
		frame->offload.gso = OFFLOAD_GSO_TCP4;
		frame->offload.gso_bytes = FRAME_MSS;
	}
}

/* In three pieces, as a joined super-frame would be written */
static inline enum tap_result frame_write(struct tap_port *port, unsigned int queue, struct test_frame *frame)
{
	struct iovec iov[4] = {
		{ 0 },
		{ frame->bytes, 14 },
		{ frame->bytes + 14, 20 },
		{ frame->bytes + 34, frame->len_bytes - 34 },
	};
	struct packet packet = {
		.frame = frame->bytes,
		.bytes = (uint32_t)frame->len_bytes,
		.offload = frame->offload,
		.pieces = iov,
		.pieces_count = 4,
	};
	struct packet *const packets[] = { &packet };
	enum tap_result why;
	unsigned int taken = tap_tx_burst(port, queue, packets, 1, &why);

	return taken == (why == TAP_OK) ? why : TAP_DROP_ERROR; /* no other may be said */
}

/* One frame, into memory of @cap_bytes behind the headroom */
static inline enum tap_result frame_read_within(struct tap_port *port, unsigned int queue, struct test_frame *frame,
	size_t cap_bytes)
{
	static uint8_t memory[PACKET_BURST_BYTES];
	static struct packet_burst burst;
	enum tap_result result;

	burst.memory = memory;
	burst.memory_bytes = PACKET_HEADROOM_BYTES + cap_bytes;
	result = tap_rx_burst(port, queue, &burst, 1);
	if (result != TAP_OK || burst.count != 1)
		return result == TAP_OK ? TAP_EMPTY : result;
	frame->offload = burst.packets[0].offload;
	frame->len_bytes = burst.packets[0].bytes;
	memcpy(frame->bytes, burst.packets[0].frame, frame->len_bytes);
	return TAP_OK;
}

static inline enum tap_result frame_read(struct tap_port *port, unsigned int queue, struct test_frame *frame)
{
	return frame_read_within(port, queue, frame, PACKET_BURST_BYTES - PACKET_HEADROOM_BYTES);
}

/* Wait for a frame on any queue of @port.  Return: the queue, or -1 */
static inline int frame_wait(struct tap_port *port, struct test_frame *frame, enum tap_result *result)
{
	struct pollfd waiting[TAP_QUEUES_MAX];
	unsigned int queues = tap_port_queues(port);

	for (unsigned int q = 0; q < queues; q++)
		waiting[q] = (struct pollfd){ .fd = tap_queue_fd(port, q), .events = POLLIN };
	while (poll(waiting, queues, FRAME_WAIT_MS) > 0) {
		for (unsigned int q = 0; q < queues; q++) {
			*result = waiting[q].revents ? frame_read(port, q, frame) : TAP_EMPTY;
			if (*result != TAP_EMPTY)
				return (int)q;
		}
	}
	return -1;
}

/* What the port can do now */
static inline enum tap_health health_of(struct tap_port *port, struct error *error)
{
	enum tap_health health = TAP_HEALTHS_COUNT;
	struct tap_view view = { .filter_known = false };

	error->text[0] = '\0';
	if (tap_view_take(&view) == 0) {
		health = tap_port_check(port, &view, error);
		tap_view_fini(&view);
	}
	return health;
}

#endif /* TESTS_UNIT_TAP_FRAMES_H */
