/*
 * test_net.c - simulated datagrams: delay, loss, MTU, partitions, nodes that move or are off
 */
#include "tests/sim/net.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct net_link links = { .delay_us = 1000, .jitter_us = 0, .loss_ppm = 0, .mtu_bytes = 1500 };

static struct world *world;
static struct net *net;
static struct node *a, *b;

/* What came */
struct inbox {
	uint32_t count;
	size_t len_bytes;
	uint8_t first;
	struct endpoint from;
	struct instant at, earliest, latest;
};
static struct inbox at_a, at_b;

static void receive(void *ctx, uint8_t *bytes, size_t len_bytes, const struct endpoint *from)
{
	struct inbox *inbox = ctx;

	inbox->count++;
	inbox->len_bytes = len_bytes;
	inbox->first = bytes[0];
	inbox->from = *from;
	inbox->at = world_now(world);
}

static int begin(void **state)
{
	(void)state;
	world = world_new(3, NULL);
	net = net_new(world, &links);
	memset(&at_a, 0, sizeof(at_a));
	memset(&at_b, 0, sizeof(at_b));
	a = net_join(net, "a", receive, &at_a);
	b = net_join(net, "b", receive, &at_b);
	return 0;
}

static int end(void **state)
{
	(void)state;
	net_free(net);
	net_free(NULL);
	world_free(world);
	return 0;
}

static void pass_ms(uint64_t count)
{
	world_run(world, instant_add_ms(world_now(world), count));
}

static int send_to_b(size_t len_bytes)
{
	uint8_t bytes[NET_DATAGRAM_MAX] = { 42 };
	const struct endpoint to = net_endpoint(b);

	return net_send(a, &to, bytes, len_bytes);
}

static void a_datagram_arrives_after_both_links(void **state)
{
	const struct instant start = world_now(world);
	const struct endpoint from = net_endpoint(a);

	(void)state;
	net_link(b)->delay_us = 500;
	assert_int_equal(send_to_b(100), 0);
	pass_ms(10);
	assert_int_equal(at_b.count, 1);
	assert_int_equal(at_b.len_bytes, 100);
	assert_int_equal(at_b.first, 42);
	assert_true(endpoint_equal(&at_b.from, &from));
	assert_int_equal(at_b.at.ns - start.ns, 1500000);
	assert_int_equal(at_a.count, 0);
}

static void jitter_stays_within_its_bounds(void **state)
{
	uint64_t least = UINT64_MAX, most = 0;

	(void)state;
	net_link(a)->jitter_us = 1000;
	for (int i = 0; i < 300; i++) {
		const struct instant start = world_now(world);

		assert_int_equal(send_to_b(100), 0);
		pass_ms(10);
		least = at_b.at.ns - start.ns < least ? at_b.at.ns - start.ns : least;
		most = at_b.at.ns - start.ns > most ? at_b.at.ns - start.ns : most;
	}
	assert_in_range(least, 2000000, 2100000);
	assert_in_range(most, 2900000, 3000000);
}

static void loss_is_as_likely_as_it_says(void **state)
{
	(void)state;
	net_link(a)->loss_ppm = 100000;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(send_to_b(100), 0);
	pass_ms(100);
	assert_in_range(at_b.count, 8850, 9150);
	assert_int_equal(net_counts(net).sent, 10000);
	assert_int_equal(net_counts(net).arrived, at_b.count);
	assert_int_equal(net_counts(net).lost, 10000 - at_b.count);
}

static void mtu_is_told_on_the_first_link_and_not_on_the_second(void **state)
{
	(void)state;
	assert_int_equal(send_to_b(1472), 0);
	assert_int_equal(send_to_b(1473), -EMSGSIZE);
	pass_ms(10);
	net_link(b)->mtu_bytes = 1400;
	assert_int_equal(send_to_b(1373), 0); /* a black hole */
	pass_ms(10);
	assert_int_equal(at_b.count, 1);
}

static void groups_do_not_meet(void **state)
{
	(void)state;
	net_group(b, 1);
	assert_int_equal(send_to_b(100), 0);
	pass_ms(10);
	assert_int_equal(at_b.count, 0);
	net_group(a, 1);
	assert_int_equal(send_to_b(100), 0);
	pass_ms(10);
	assert_int_equal(at_b.count, 1);
	assert_int_equal(send_to_b(100), 0);
	net_group(b, 0); /* parted while it is under way */
	pass_ms(10);
	assert_int_equal(at_b.count, 1);
}

static void who_is_off_neither_sends_nor_hears(void **state)
{
	const struct endpoint to = net_endpoint(a);

	(void)state;
	net_power(b, false);
	assert_int_equal(send_to_b(100), 0);
	assert_int_equal(net_send(b, &to, "x", 1), -ENETUNREACH);
	pass_ms(10);
	assert_int_equal(at_b.count + at_a.count, 0);
	net_power(b, true);
	assert_int_equal(send_to_b(100), 0);
	pass_ms(10);
	assert_int_equal(at_b.count, 1);
}

static void who_moved_is_not_where_it_was(void **state)
{
	const struct endpoint before = net_endpoint(b);
	struct endpoint now;

	(void)state;
	net_move(b);
	now = net_endpoint(b);
	assert_false(endpoint_equal(&before, &now));
	assert_int_equal(net_send(a, &before, "x", 1), 0);
	pass_ms(10);
	assert_int_equal(at_b.count, 0);
	assert_int_equal(net_send(a, &now, "x", 1), 0);
	pass_ms(10);
	assert_int_equal(at_b.count, 1);
}

static void what_is_under_way_at_the_end_goes_with_the_net(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(send_to_b(100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_datagram_arrives_after_both_links, begin, end),
		cmocka_unit_test_setup_teardown(jitter_stays_within_its_bounds, begin, end),
		cmocka_unit_test_setup_teardown(loss_is_as_likely_as_it_says, begin, end),
		cmocka_unit_test_setup_teardown(mtu_is_told_on_the_first_link_and_not_on_the_second, begin, end),
		cmocka_unit_test_setup_teardown(groups_do_not_meet, begin, end),
		cmocka_unit_test_setup_teardown(who_is_off_neither_sends_nor_hears, begin, end),
		cmocka_unit_test_setup_teardown(who_moved_is_not_where_it_was, begin, end),
		cmocka_unit_test_setup_teardown(what_is_under_way_at_the_end_goes_with_the_net, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
