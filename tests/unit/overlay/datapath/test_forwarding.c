/*
 * test_forwarding.c - networks are found by their ids, up to as many as there may be
 */
#include "overlay/datapath/forwarding.h"
#include "tests/unit/overlay/datapath/lone_worker.h"

static bool add(struct forwarding *forwarding, uint32_t id)
{
	struct network *network = lone_network_new(id);
	bool added = forwarding_add_network(forwarding, network);

	if (!added)
		network_free(network);
	else
		assert_ptr_equal(forwarding_network(forwarding, id), network);
	return added;
}

/* Ids that follow each other, and ids that share their low bits */
static void fill(uint32_t first, uint32_t step)
{
	struct forwarding *forwarding = forwarding_new(1, 0);

	assert_non_null(forwarding);
	for (uint32_t i = 0; i < NETWORKS_MAX; i++) {
		assert_null(forwarding_network(forwarding, first + i * step));
		assert_true(add(forwarding, first + i * step));
	}
	assert_int_equal(forwarding->networks_count, NETWORKS_MAX);
	for (uint32_t i = 0; i < NETWORKS_MAX; i++)
		assert_int_equal(forwarding_network(forwarding, first + i * step)->id, first + i * step);
	assert_null(forwarding_network(forwarding, first + NETWORKS_MAX * step));
	assert_false(add(forwarding, first + NETWORKS_MAX * step)); /* one more than there may be */
	assert_int_equal(forwarding->networks_count, NETWORKS_MAX);
	forwarding_free(forwarding);
}

static void as_many_networks_as_there_may_be_are_found(void **state)
{
	(void)state;
	fill(1, 1);
	fill(4096, 4096);
}

static void an_id_is_added_once(void **state)
{
	struct forwarding *forwarding = forwarding_new(1, 0);

	(void)state;
	assert_true(add(forwarding, 17));
	assert_false(add(forwarding, 17));
	assert_int_equal(forwarding->networks_count, 1);
	forwarding_free(forwarding);
}

static void a_new_one_is_empty(void **state)
{
	struct forwarding *forwarding = forwarding_new(42, 9);

	(void)state;
	assert_non_null(forwarding);
	assert_int_equal(forwarding->generation, 42);
	assert_int_equal(forwarding->peers_capacity, 9);
	for (uint32_t slot = 0; slot < 9; slot++)
		assert_null(forwarding->peers[slot]);
	for (uint32_t slot = 0; slot < PORTS_MAX; slot++)
		assert_null(forwarding->ports[slot]);
	assert_null(forwarding_network(forwarding, 0));
	forwarding_free(forwarding);
	forwarding_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_many_networks_as_there_may_be_are_found),
		cmocka_unit_test(an_id_is_added_once),
		cmocka_unit_test(a_new_one_is_empty),
	};

	return cmocka_run_group_tests(tests, fixture_begin, fixture_end);
}
