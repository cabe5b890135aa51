/*
 * test_answer.c - whoever sent too much is told, at a bounded rate
 */
#include "overlay/datapath/answer.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

#define RATE 100U /* answers at once, and in a second */

static unsigned int answers(struct lone *lone, const struct packet *packet, unsigned int asked)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < asked; i++)
		answer_too_big(lone->worker, packet, 1400);
	while (lone_take(lone, packet->in->id))
		count++;
	return count;
}

static void the_guest_is_told_what_would_fit(void **state)
{
	struct frame_info info;
	struct packet packet;
	struct lone lone;
	size_t len;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 2, 1, 3000); /* with DF */
	packet.vlan = LONE_VLAN;
	answer_too_big(lone.worker, &packet, 1400);
	len = lone_take(&lone, 2);
	assert_true(frame_parse(frame_out, len, &info));
	assert_false(info.tagged);
	assert_memory_equal(frame_out, mac_of[0].bytes, MAC_BYTES);
	assert_int_equal(info.l4_protocol, FRAME_PROTOCOL_ICMP);
	assert_memory_equal(frame_out + info.l4_offset, "\x03\x04", 2);
	assert_int_equal(frame_get16(frame_out + info.l4_offset + 6), 1400);
	assert_int_equal(lone_take(&lone, 0), 0);
	assert_int_equal(lone_take(&lone, 1), 0);
	lone_close(&lone);
}

static void answers_are_limited_in_rate(void **state)
{
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 3000);
	assert_int_equal(answers(&lone, &packet, LONE_DEPTH), RATE);
	assert_int_equal(answers(&lone, &packet, 10), 0);
	lone.worker->now = instant_add_ms(lone.worker->now, 10);
	assert_int_equal(answers(&lone, &packet, 10), 1);
	lone.worker->now = instant_add_ms(lone.worker->now, 3600000);
	assert_int_equal(answers(&lone, &packet, LONE_DEPTH), RATE);
	lone_close(&lone);
}

static void nothing_is_answered_that_may_not_be(void **state)
{
	struct frame_info info;
	struct packet packet;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 3000);
	packet.frame[20] &= 0xbf; /* without DF it is for who sends it on to cut it */
	assert_true(frame_parse(packet.frame, packet.bytes, &info));
	csum_ipv4_header(packet.frame, &info);
	assert_int_equal(answers(&lone, &packet, 5), 0);
	packet = lone_packet(&lone, 0, 1, 3000);
	packet.in = NULL; /* from a peer */
	answer_too_big(lone.worker, &packet, 1400);
	for (uint32_t slot = 0; slot < LONE_PORTS; slot++)
		assert_int_equal(lone_take(&lone, slot), 0);
	lone_close(&lone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_guest_is_told_what_would_fit),
		cmocka_unit_test(answers_are_limited_in_rate),
		cmocka_unit_test(nothing_is_answered_that_may_not_be),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
