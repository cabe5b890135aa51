/*
 * test_burst.c - a burst takes up what is published, and leaves nothing behind
 */
#include "overlay/datapath/burst.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

static void it_begins_with_what_is_published(void **state)
{
	struct forwarding *first, *second;
	struct lone lone;

	(void)state;
	lone_open(&lone);
	first = lone.datapath.forwarding;
	second = forwarding_new(2, 0);
	assert_non_null(second);
	lone.worker->decision.network = lone.network;
	lone.worker->now = (struct instant){ 1 };
	burst_begin(lone.worker);
	assert_ptr_equal(lone.worker->forwarding, first);
	assert_null(lone.worker->decision.network);
	assert_true(lone.worker->now.ns > 1);
	rcu_publish(&lone.datapath.forwarding, second);
	assert_ptr_equal(lone.worker->forwarding, first); /* to the end of the burst */
	burst_end(lone.worker);
	burst_begin(lone.worker);
	assert_ptr_equal(lone.worker->forwarding, second);
	burst_end(lone.worker);
	forwarding_free(first);
	lone_close(&lone);
}

static void what_has_gathered_leaves_at_its_end(void **state)
{
	struct offload offload;
	struct packet packet;
	struct lone lone;
	size_t len;

	(void)state;
	lone_open(&lone);
	packet = lone_packet(&lone, 0, 1, 4);
	len = make_tcp(packet.frame, 0, 7, 0, 1000, 1460, &offload);
	packet_init(&packet, packet.frame, len, PACKET_HEADROOM_BYTES);
	packet.in = NULL;
	packet.peer = LONE_PEER;
	packet.from_wire = true;
	packet.offload = (struct offload){ .partial = true };
	assert_true(packet_parse(&packet));
	burst_begin(lone.worker);
	deliver_shared(lone.worker, network_port_lookup(lone.network, 1), &packet, VLAN_KEEP);
	assert_int_equal(lone_take(&lone, 1), 0); /* more of its stream may come */
	assert_int_equal(lone.worker->dirty_count, 1);
	burst_end(lone.worker);
	assert_int_equal(lone_take(&lone, 1), len);
	assert_int_equal(lone.worker->dirty_count, 0);
	assert_int_equal(lone.worker->pool.free_count, WORKER_POOL_PKTS);
	lone_close(&lone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_begins_with_what_is_published),
		cmocka_unit_test(what_has_gathered_leaves_at_its_end),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
