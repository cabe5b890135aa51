/*
 * test_stats.c - what the workers have counted is summed over them
 */
#include "overlay/datapath/stats.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

static void open_two(struct lone *lone)
{
	lone_open(lone);
	lone->datapath.workers[1] = lone_worker_new(&lone->datapath, 1);
	lone->datapath.workers_count = 2;
}

static void close_two(struct lone *lone)
{
	lone_worker_free(lone->datapath.workers[1]);
	lone_close(lone);
}

/* Each counter has a number of its own, so that none is taken for another */
static void drops_are_summed_by_their_names(void **state)
{
	struct stats stats;
	struct lone lone;

	(void)state;
	open_two(&lone);
	for (uint32_t i = 0; i < 2; i++)
		for (enum drop drop = 0; drop < DROPS; drop++)
			drops_count(&lone.datapath.workers[i]->drops, drop, i ? 1000 * drop : drop);
	memset(&stats, 0xff, sizeof(stats));
	stats_gather(&lone.datapath, &stats);
	for (enum drop drop = 0; drop < DROPS; drop++)
		assert_int_equal(stats.drops[drop], 1001 * drop);
	close_two(&lone);
}

static void the_reassemblers_drops_count_as_fragments(void **state)
{
	struct stats stats;
	struct lone lone;
	uint64_t sum = 0;

	(void)state;
	open_two(&lone);
	for (uint32_t i = 0; i < 2; i++)
		for (int result = FRAGMENT_DROP_OVERSIZE; result < FRAGMENT_RESULTS; result++)
			counter_add(&lone.datapath.workers[i]->reassembler.drops[result],
				(uint64_t)result * (i ? 100 : 1));
	drops_count(&lone.worker->drops, drop_fragment(FRAGMENT_DROP_OVERSIZE), 5); /* of one that was to be sent */
	stats_gather(&lone.datapath, &stats);
	for (int result = FRAGMENT_DROP_OVERSIZE; result < FRAGMENT_RESULTS; result++)
		assert_int_equal(stats.drops[drop_fragment((enum fragment_result)result)],
			(uint64_t)result * 101 + (result == FRAGMENT_DROP_OVERSIZE ? 5 : 0));
	for (enum drop drop = 0; drop < DROPS; drop++)
		sum += stats.drops[drop];
	for (int result = FRAGMENT_DROP_OVERSIZE; result < FRAGMENT_RESULTS; result++)
		sum -= (uint64_t)result * 101;
	assert_int_equal(sum, 5); /* nowhere else */
	close_two(&lone);
}

static void learning_is_summed_by_event(void **state)
{
	struct stats stats;
	struct lone lone;

	(void)state;
	open_two(&lone);
	for (uint32_t i = 0; i < 2; i++)
		for (int event = FDB_OK; event < FDB_RESULTS; event++)
			counter_add(&lone.datapath.workers[i]->fdb_events[event], (uint64_t)event + i * 50);
	stats_gather(&lone.datapath, &stats);
	assert_int_equal(stats.learning[FDB_OK], 0); /* no event */
	for (int event = FDB_OK + 1; event < FDB_RESULTS; event++)
		assert_int_equal(stats.learning[event], 2 * event + 50);
	assert_int_equal(stats.drops[drop_fdb(FDB_LIMIT)], 2 * FDB_LIMIT + 50); /* those that cost frames elsewhere */
	close_two(&lone);
}

static void a_port_is_summed_by_its_slot(void **state)
{
	struct port_stats stats;
	struct lone lone;

	(void)state;
	open_two(&lone);
	for (uint32_t i = 0; i < 2; i++)
		for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
			struct port_counters *counters = &lone.datapath.workers[i]->port_counters[slot];

			counter_set(&counters->rx_frames, slot);
			counter_set(&counters->rx_bytes, slot * 10);
			counter_set(&counters->tx_frames, slot + 3);
			counter_set(&counters->tx_bytes, slot * 10 + i);
		}
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++) {
		stats_gather_port(&lone.datapath, slot, &stats);
		assert_int_equal(stats.rx_frames, 2 * slot);
		assert_int_equal(stats.rx_bytes, 20 * slot);
		assert_int_equal(stats.tx_frames, 2 * slot + 6);
		assert_int_equal(stats.tx_bytes, 20 * slot + 1);
	}
	close_two(&lone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops_are_summed_by_their_names),
		cmocka_unit_test(the_reassemblers_drops_count_as_fragments),
		cmocka_unit_test(learning_is_summed_by_event),
		cmocka_unit_test(a_port_is_summed_by_its_slot),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
