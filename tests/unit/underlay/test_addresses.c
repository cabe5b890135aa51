/*
 * test_addresses.c - changes of links, addresses and routes are heard, and told apart, in a namespace of the test's own
 */
#include "underlay/addresses.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/unit/netns.h"

#define WAIT_MS 5000
#define QUIET_MS 200 /* after the last notice: a slow machine tells of a carrier so late */

static struct addresses *addresses;

static int open_addresses(void **state)
{
	struct error error;

	(void)state;
	addresses = addresses_new(hash_seed_random(), &error);
	return addresses ? 0 : -1;
}

static int close_addresses(void **state)
{
	(void)state;
	addresses_free(addresses);
	addresses_free(NULL);
	return 0;
}

static bool waits(int ms)
{
	struct pollfd ready = { .fd = addresses_descriptor(addresses), .events = POLLIN };

	return poll(&ready, 1, ms) == 1;
}

/* What is told by the time that nothing more comes: the kernel tells of carriers late */
static enum addresses_news news_after(const char *command)
{
	enum addresses_news news = ADDRESSES_QUIET;

	while (addresses_read(addresses) != ADDRESSES_QUIET)
		;
	assert_int_equal(netns_run("%s", command), 0);
	for (int ms = WAIT_MS; waits(ms); ms = QUIET_MS) {
		enum addresses_news this = addresses_read(addresses);

		news = this > news ? this : news;
	}
	return news;
}

static void links_and_addresses_are_heard_of(void **state)
{
	(void)state;
	assert_int_equal(addresses_read(addresses), ADDRESSES_QUIET);
	assert_int_equal(news_after("ip link add d0 type bridge"), ADDRESSES_LINKS);
	assert_int_equal(news_after("ip link set d0 addrgenmode none up"), ADDRESSES_LINKS);
	assert_int_equal(news_after("ip addr add 192.0.2.1/24 dev d0"), ADDRESSES_LINKS);
	assert_int_equal(news_after("ip addr del 192.0.2.1/24 dev d0"), ADDRESSES_LINKS);
	assert_int_equal(news_after("ip addr add 2001:db8::1/64 dev d0 nodad"), ADDRESSES_LINKS);
	assert_int_equal(news_after("ip addr del 2001:db8::1/64 dev d0"), ADDRESSES_LINKS);
	assert_int_equal(news_after("ip link del d0"), ADDRESSES_LINKS);
}

static bool has(const char *text)
{
	struct endpoint endpoint;

	assert_true(endpoint_parse(text, 1, &endpoint));
	return addresses_has(addresses, endpoint.ip);
}

static void it_knows_what_is_here(void **state)
{
	(void)state;
	assert_int_equal(netns_run("ip link add d0 type bridge && ip link set d0 up && for i in $(seq 1 40); do "
				   "ip addr add 192.0.2.$i/24 dev d0; done; ip addr add 2001:db8::1/64 dev d0 nodad"),
		0);
	assert_false(has("192.0.2.7")); /* it has not looked yet */
	assert_true(addresses_moved(addresses));
	assert_true(has("192.0.2.1") && has("192.0.2.40") && has("2001:db8::1"));
	assert_false(has("192.0.2.41"));
	assert_false(has("2001:db8::2"));
	assert_int_equal(netns_run("ip addr del 192.0.2.40/24 dev d0"), 0);
	assert_true(addresses_moved(addresses));
	assert_true(has("192.0.2.39"));
	assert_false(has("192.0.2.40"));
	assert_int_equal(netns_run("ip link set d0 down"), 0);
	assert_true(addresses_moved(addresses));
	assert_false(has("192.0.2.1"));
	assert_int_equal(netns_run("ip link del d0"), 0);
}

static void routes_are_told_apart_from_links(void **state)
{
	(void)state;
	(void)news_after("ip link add d0 type veth peer name d1 && ip link set d0 up && ip link set d1 up && "
			 "ip addr add 192.0.2.1/24 dev d0");
	assert_int_equal(news_after("ip route add 198.51.100.0/24 via 192.0.2.2"), ADDRESSES_ROUTES);
	assert_int_equal(news_after("ip route del 198.51.100.0/24"), ADDRESSES_ROUTES);
	assert_int_equal(news_after("ip rule add from 198.51.100.1 table 77"), ADDRESSES_ROUTES);
	(void)news_after("ip link del d0");
}

static void lost_notices_are_news_of_links(void **state)
{
	int small = 1;

	(void)state;
	assert_int_equal(setsockopt(addresses_descriptor(addresses), SOL_SOCKET, SO_RCVBUF, &small, sizeof(small)), 0);
	assert_int_equal(news_after("for i in $(seq 50); do echo link add d$i type bridge; done | ip -batch -"),
		ADDRESSES_LINKS);
	assert_int_equal(netns_run("for i in $(seq 50); do echo link del d$i; done | ip -batch -"), 0);
}

static void moving_is_a_matter_of_addresses_and_their_links_mtu(void **state)
{
	(void)state;
	(void)addresses_moved(addresses);
	assert_false(addresses_moved(addresses));
	assert_int_equal(netns_run(
				 "ip link add d0 type bridge && ip link set d0 addrgenmode none && ip link set d0 up"),
		0);
	assert_false(addresses_moved(addresses)); /* it has no address */
	assert_int_equal(netns_run("ip addr add 192.0.2.1/24 dev d0"), 0);
	assert_true(addresses_moved(addresses));
	assert_false(addresses_moved(addresses));
	assert_int_equal(netns_run("ip link set d0 mtu 1400"), 0);
	assert_true(addresses_moved(addresses));
	assert_int_equal(netns_run("ip addr add 2001:db8::1/64 dev d0 nodad"), 0);
	assert_true(addresses_moved(addresses));
	assert_int_equal(netns_run("ip route add 198.51.100.0/24 dev d0"), 0);
	assert_false(addresses_moved(addresses));
	assert_int_equal(netns_run("ip link set d0 down"), 0);
	assert_true(addresses_moved(addresses));
	assert_int_equal(netns_run("ip link del d0"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(links_and_addresses_are_heard_of, open_addresses, close_addresses),
		cmocka_unit_test_setup_teardown(it_knows_what_is_here, open_addresses, close_addresses),
		cmocka_unit_test_setup_teardown(routes_are_told_apart_from_links, open_addresses, close_addresses),
		cmocka_unit_test_setup_teardown(lost_notices_are_news_of_links, open_addresses, close_addresses),
		cmocka_unit_test_setup_teardown(moving_is_a_matter_of_addresses_and_their_links_mtu, open_addresses,
			close_addresses),
	};

	netns_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
