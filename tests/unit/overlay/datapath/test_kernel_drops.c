/*
 * test_kernel_drops.c - what the kernel counts for devices and sockets becomes sums that never go down
 */
#include "overlay/datapath/kernel_drops.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tap/port_ops.h"

/* Ports and an underlay that have whatever the test says */
struct counted {
	struct tap_port port;
	uint64_t missed, refused;
	uint32_t asked;
};

static uint64_t missed_of(struct tap_port *port)
{
	((struct counted *)port)->asked++;
	return ((struct counted *)port)->missed;
}

static uint64_t refused_of(struct tap_port *port)
{
	return ((struct counted *)port)->refused;
}

static const struct tap_ops counted_ops = { .missed_pkts = missed_of, .refused_pkts = refused_of };
static uint64_t udp_missed;

static uint64_t missed_of_udp(const struct underlay *underlay)
{
	(void)underlay;
	return udp_missed;
}

static const struct underlay_ops udp_ops = { .missed_pkts = missed_of_udp };
static struct underlay underlay = { .ops = &udp_ops };
static struct counted devices[PORTS_MAX];
static struct vport vports[PORTS_MAX];
static struct datapath datapath;
static struct kernel_drops drops;
static struct instant now;

static int begin(void **state)
{
	(void)state;
	memset(&drops, 0, sizeof(drops));
	memset(devices, 0, sizeof(devices));
	memset(vports, 0, sizeof(vports));
	udp_missed = 0;
	now = (struct instant){ 1000000000ULL };
	datapath.underlay = &underlay;
	datapath.forwarding = forwarding_new(1, 1);
	return datapath.forwarding ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	forwarding_free(datapath.forwarding);
	return 0;
}

static void plug(uint32_t slot)
{
	devices[slot].port.ops = &counted_ops;
	vports[slot] = (struct vport){ .slot = slot, .tap = &devices[slot].port };
	datapath.forwarding->ports[slot] = &vports[slot];
}

static uint64_t sum(enum drop drop)
{
	struct stats stats = { 0 };

	kernel_drops_add(&drops, &stats);
	return stats.drops[drop];
}

static void look(void)
{
	now = instant_add_ms(now, KERNEL_DROPS_MS);
	kernel_drops_look(&drops, &datapath, now);
}

static void each_kind_has_its_name(void **state)
{
	(void)state;
	plug(3);
	plug(9);
	devices[3].missed = 5;
	devices[9].missed = 7;
	devices[9].refused = 2;
	udp_missed = 11;
	look();
	assert_int_equal(sum(DROP_PORT_MISSED), 12);
	assert_int_equal(sum(DROP_PORT_KERNEL), 2);
	assert_int_equal(sum(DROP_UDP_MISSED), 11);
	devices[3].missed = 6;
	look();
	assert_int_equal(sum(DROP_PORT_MISSED), 13);
}

static void what_a_port_had_is_kept(void **state)
{
	(void)state;
	plug(3);
	devices[3].missed = 5;
	look();
	devices[3].missed = 8; /* between the last look and its end */
	datapath.forwarding->ports[3] = NULL;
	kernel_drops_close(&drops, &devices[3].port);
	assert_int_equal(sum(DROP_PORT_MISSED), 8);
	kernel_drops_close(&drops, &devices[3].port); /* known no more */
	/* another device where the old one was in memory begins at zero */
	devices[3].missed = 1;
	plug(3);
	look();
	assert_int_equal(sum(DROP_PORT_MISSED), 9);
}

static void sums_never_go_down(void **state)
{
	(void)state;
	plug(0);
	devices[0].missed = 50;
	look();
	devices[0].missed = 0; /* moved out of sight */
	look();
	assert_int_equal(sum(DROP_PORT_MISSED), 50);
	devices[0].missed = 51;
	look();
	assert_int_equal(sum(DROP_PORT_MISSED), 51);
}

static void ports_take_turns(void **state)
{
	uint32_t looks = 0;

	(void)state;
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		plug(slot);
		devices[slot].missed = 1;
	}
	for (uint32_t asked = 0; asked < PORTS_MAX; looks++) {
		look();
		kernel_drops_look(&drops, &datapath, now); /* too early */
		asked += KERNEL_DROPS_PORTS;
		assert_int_equal(sum(DROP_PORT_MISSED), asked < PORTS_MAX ? asked : PORTS_MAX);
	}
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		assert_in_range(devices[slot].asked, 1, 2);
	assert_int_equal(looks, (PORTS_MAX + KERNEL_DROPS_PORTS - 1) / KERNEL_DROPS_PORTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_kind_has_its_name, begin, end),
		cmocka_unit_test_setup_teardown(what_a_port_had_is_kept, begin, end),
		cmocka_unit_test_setup_teardown(sums_never_go_down, begin, end),
		cmocka_unit_test_setup_teardown(ports_take_turns, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
