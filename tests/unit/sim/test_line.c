/*
 * test_line.c - simulated TCP: in order, nothing lost, patient, closed from either end
 */
#include "tests/sim/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define MESSAGES 200U

static const struct net_link links = { .delay_us = 1000, .jitter_us = 5000, .loss_ppm = 0, .mtu_bytes = 1500 };

static struct world *world;
static struct net *net;
static struct node *nodes[2];
static struct line_end *ends[2];

struct side {
	uint32_t took, last, closed;
	bool hang_up; /* upon the next message */
	int number;
};
static struct side sides[2];
static uint32_t living; /* messages */

static void nobody(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from)
{
	(void)ctx;
	(void)bytes;
	(void)len_bytes;
	(void)from;
}

static void drop(void *message)
{
	free(message);
	living--;
}

static void take(void *ctx, void *message)
{
	struct side *side = ctx;

	assert_int_equal(*(uint32_t *)message, side->last + 1);
	side->last = *(uint32_t *)message;
	side->took++;
	drop(message);
	if (side->hang_up) {
		line_close(ends[side->number]);
		ends[side->number] = NULL;
	}
}

static void closed(void *ctx)
{
	struct side *side = ctx;

	side->closed++;
	ends[side->number] = NULL;
}

static const struct line_ops ops = { .take = take, .closed = closed, .drop = drop };

static int begin(void **state)
{
	struct line_owner owners[2];

	(void)state;
	world = world_new(5, NULL);
	net = net_new(world, &links);
	living = 0;
	for (int i = 0; i < 2; i++) {
		sides[i] = (struct side){ .number = i };
		nodes[i] = net_join(net, i ? "b" : "a", nobody, NULL);
		owners[i] = (struct line_owner){ .node = nodes[i], .ops = &ops, .ctx = &sides[i] };
	}
	line_open(&owners[0], &owners[1], ends);
	return 0;
}

static int end(void **state)
{
	(void)state;
	line_close(ends[0]);
	line_close(ends[1]);
	assert_int_equal(living, 0);
	net_free(net);
	world_free(world);
	return 0;
}

static void pass_ms(uint64_t count)
{
	world_run(world, instant_add_ms(world_now(world), count));
}

static void post(int side, uint32_t number)
{
	uint32_t *message = malloc(sizeof(*message));

	assert_non_null(message);
	*message = number;
	living++;
	line_send(ends[side], message);
}

static void send_all(int side)
{
	for (uint32_t i = 1; i <= MESSAGES; i++)
		post(side, i);
}

static void messages_arrive_in_order_both_ways(void **state)
{
	(void)state;
	send_all(0);
	send_all(1);
	assert_true(line_busy(ends[0]));
	assert_int_equal(sides[1].took, 0);
	pass_ms(100);
	assert_int_equal(sides[0].took, MESSAGES);
	assert_int_equal(sides[1].took, MESSAGES);
	assert_false(line_busy(ends[0]));
}

static void loss_costs_time_and_nothing_else(void **state)
{
	const struct instant start = world_now(world);

	(void)state;
	net_link(nodes[0])->loss_ppm = 300000;
	send_all(0);
	while (sides[1].took < MESSAGES)
		assert_true(world_step(world, instant_add_ms(start, 600000)));
	assert_true(instant_since_ms(world_now(world), start) > 200);
}

static void a_parted_line_waits(void **state)
{
	(void)state;
	net_group(nodes[1], 1);
	send_all(0);
	pass_ms(60000);
	assert_int_equal(sides[1].took, 0);
	assert_true(line_busy(ends[0]));
	net_group(nodes[1], 0);
	pass_ms(1000);
	assert_int_equal(sides[1].took, MESSAGES);
}

static void closing_comes_behind_what_was_sent(void **state)
{
	(void)state;
	send_all(0);
	line_close(ends[0]);
	ends[0] = NULL;
	post(1, 1); /* nobody takes it */
	pass_ms(100);
	assert_int_equal(sides[1].took, MESSAGES);
	assert_int_equal(sides[1].closed, 1);
	assert_int_equal(sides[0].took + sides[0].closed, 0);
	assert_null(ends[1]);
}

static void a_message_may_end_the_line(void **state)
{
	(void)state;
	sides[1].hang_up = true;
	send_all(0);
	pass_ms(100);
	assert_int_equal(sides[1].took, 1);
	assert_int_equal(sides[0].closed, 1);
}

static void a_line_does_not_move_with_its_node(void **state)
{
	(void)state;
	net_move(nodes[0]);
	send_all(0);
	send_all(1);
	pass_ms(60000);
	assert_int_equal(sides[0].took + sides[1].took, 0);
	assert_true(line_busy(ends[1]));
	line_close(ends[0]);
	ends[0] = NULL;
	pass_ms(1000);
	assert_int_equal(sides[1].took, 0);
	assert_int_equal(sides[1].closed, 1);
}

static void both_may_close_at_once(void **state)
{
	(void)state;
	send_all(0);
	send_all(1);
	line_close(ends[0]);
	line_close(ends[1]);
	ends[0] = ends[1] = NULL;
	pass_ms(100);
	assert_int_equal(sides[0].closed + sides[1].closed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_arrive_in_order_both_ways, begin, end),
		cmocka_unit_test_setup_teardown(loss_costs_time_and_nothing_else, begin, end),
		cmocka_unit_test_setup_teardown(a_parted_line_waits, begin, end),
		cmocka_unit_test_setup_teardown(closing_comes_behind_what_was_sent, begin, end),
		cmocka_unit_test_setup_teardown(a_message_may_end_the_line, begin, end),
		cmocka_unit_test_setup_teardown(a_line_does_not_move_with_its_node, begin, end),
		cmocka_unit_test_setup_teardown(both_may_close_at_once, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
