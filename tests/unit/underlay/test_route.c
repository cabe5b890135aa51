/*
 * test_route.c - routes asked of the kernel and remembered, in a namespace of the test's own
 *
 * d0 has MTU 1400 and leads to 192.0.2.0/24, 2001:db8::/64 and what is routed by way of them.
 */
#include "underlay/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

static struct route_cache *cache;
static struct instant now = { 1000000000 };

static int open_cache(void **state)
{
	struct error error;

	(void)state;
	cache = route_cache_new(hash_seed_random(), &error);
	return cache ? 0 : -1;
}

static int close_cache(void **state)
{
	(void)state;
	route_cache_free(cache);
	route_cache_free(NULL);
	return 0;
}

static struct endpoint at(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, 4754, &endpoint));
	return endpoint;
}

static uint32_t mtu(const char *to)
{
	const struct endpoint endpoint = at(to);

	return route_mtu(cache, &endpoint, now);
}

static uint32_t device_mtu(const char *to)
{
	const struct endpoint endpoint = at(to);

	return route_device_mtu(cache, &endpoint, now);
}

static void a_route_has_its_devices_mtu_or_its_own(void **state)
{
	(void)state;
	assert_int_equal(mtu("192.0.2.9"), 1400);
	assert_int_equal(device_mtu("192.0.2.9"), 1400);
	assert_int_equal(mtu("2001:db8::9"), 1400);
	assert_int_equal(device_mtu("2001:db8::9"), 1400);
	assert_int_equal(mtu("198.51.100.9"), 1300);
	assert_int_equal(device_mtu("198.51.100.9"), 1400);
	assert_int_equal(mtu("2001:db8:1::9"), 1290);
	assert_int_equal(device_mtu("2001:db8:1::9"), 1400);
	assert_int_equal(mtu("127.0.0.1"), 65536);
}

static void where_there_is_no_route_it_is_zero(void **state)
{
	(void)state;
	assert_int_equal(mtu("203.0.113.1"), 0);
	assert_int_equal(device_mtu("203.0.113.1"), 0);
	assert_int_equal(mtu("2001:db8:ffff::1"), 0);
	assert_int_equal(mtu("198.51.100.129"), 0); /* declared unreachable */
	assert_int_equal(mtu("192.0.2.9"), 1400);   /* what was refused does not disturb what follows */
}

static void the_kernel_is_asked_once_while_the_answer_is_fresh(void **state)
{
	(void)state;
	assert_int_equal(mtu("192.0.2.9"), 1400);
	assert_int_equal(device_mtu("192.0.2.9"), 1400);
	assert_int_equal(mtu("192.0.2.9"), 1400);
	assert_int_equal(route_questions(cache), 1);
	now = instant_add_ms(now, ROUTE_FRESH_MS);
	assert_int_equal(device_mtu("192.0.2.9"), 1400); /* does not age */
	assert_int_equal(route_questions(cache), 1);
	assert_int_equal(mtu("192.0.2.9"), 1400);
	assert_int_equal(route_questions(cache), 2);
}

static void a_flush_forgets(void **state)
{
	(void)state;
	assert_int_equal(mtu("192.0.2.9"), 1400);
	assert_int_equal(netns_run("ip link set d0 mtu 1350"), 0);
	assert_int_equal(mtu("192.0.2.9"), 1400);
	route_cache_flush(cache);
	assert_int_equal(device_mtu("192.0.2.9"), 1350);
	assert_int_equal(mtu("192.0.2.9"), 1350);
	assert_int_equal(netns_run("ip link set d0 mtu 1400"), 0);
}

/* Twice as many destinations as there is room for: each is answered rightly, and the newest are remembered */
static void a_full_table_makes_room(void **state)
{
	const uint32_t count = 2 * ROUTE_SETS * ROUTE_WAYS;
	uint64_t before;

	(void)state;
	for (uint32_t i = 0; i < count; i++) {
		char text[32];

		now.ns++;
		snprintf(text, sizeof(text), "10.1.%u.%u", i / 250, i % 250 + 1);
		assert_int_equal(device_mtu(text), 1400);
	}
	assert_int_equal(route_questions(cache), count);
	before = route_questions(cache);
	assert_int_equal(device_mtu("10.1.16.96"), 1400); /* the last */
	assert_int_equal(route_questions(cache), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_route_has_its_devices_mtu_or_its_own, open_cache, close_cache),
		cmocka_unit_test_setup_teardown(where_there_is_no_route_it_is_zero, open_cache, close_cache),
		cmocka_unit_test_setup_teardown(the_kernel_is_asked_once_while_the_answer_is_fresh, open_cache,
			close_cache),
		cmocka_unit_test_setup_teardown(a_flush_forgets, open_cache, close_cache),
		cmocka_unit_test_setup_teardown(a_full_table_makes_room, open_cache, close_cache),
	};

	netns_enter();
	if (netns_run(
		    "ip link set lo up && ip link add d0 type veth peer name d1 && ip link set d0 mtu 1400 up && "
		    "ip link set d1 up && ip addr add 192.0.2.1/24 dev d0 && ip addr add 2001:db8::1/64 dev d0 nodad && "
		    "ip route add 198.51.100.0/25 via 192.0.2.2 mtu 1300 && ip route add 10.1.0.0/16 via 192.0.2.2 && "
		    "ip route add unreachable 198.51.100.128/25 && "
		    "ip -6 route add 2001:db8:1::/64 via 2001:db8::2 mtu 1290") != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
