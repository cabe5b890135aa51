/*
 * test_vlan.c - every policy with every kind of tag
 */
#include "switch/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct vlan_form untagged = { false, 0 };
static const struct vlan_form priority = { true, 0xa000 };
static const struct vlan_form ten = { true, 0x600a };
static const struct vlan_form twenty = { true, 20 };
static const struct vlan_form reserved = { true, 4095 };

static void trunk_all_takes_all_but_4095(void **state)
{
	const struct vlan_policy policy = { .mode = VLAN_TRUNK_ALL };
	uint16_t vlan;

	(void)state;
	for (uint16_t id = 0; id <= VLAN_MAX; id++) {
		assert_true(vlan_admit(&policy, (struct vlan_form){ true, id }, &vlan));
		assert_int_equal(vlan, id);
	}
	assert_true(vlan_admit(&policy, untagged, &vlan));
	assert_int_equal(vlan, 0);
	assert_false(vlan_admit(&policy, reserved, &vlan));
}

static void trunk_list_takes_its_list(void **state)
{
	struct vlan_policy policy = { .mode = VLAN_TRUNK_LIST };
	uint16_t vlan;

	(void)state;
	vlan_policy_add(&policy, 10);
	vlan_policy_add(&policy, 4094);
	for (uint16_t id = 0; id <= VLAN_MAX; id++)
		assert_int_equal(vlan_admit(&policy, (struct vlan_form){ true, id }, &vlan), id == 10 || id == 4094);
	assert_false(vlan_admit(&policy, untagged, &vlan));
	assert_int_equal(vlan_egress(&policy, 20, twenty), VLAN_DENY);
	assert_int_equal(vlan_egress(&policy, 0, untagged), VLAN_DENY);
	assert_int_equal(vlan_egress(&policy, 10, ten), VLAN_KEEP);
	assert_int_equal(vlan_egress(&policy, 10, untagged), VLAN_PUSH);
	vlan_policy_add(&policy, 0);
	assert_true(vlan_admit(&policy, untagged, &vlan));
	assert_true(vlan_admit(&policy, priority, &vlan));
	assert_int_equal(vlan, 0);
}

static void access_is_one_untagged_vlan(void **state)
{
	const struct vlan_policy policy = { .mode = VLAN_ACCESS, .access = 10 };
	uint16_t vlan = 0;

	(void)state;
	assert_true(vlan_admit(&policy, untagged, &vlan));
	assert_int_equal(vlan, 10);
	assert_true(vlan_admit(&policy, priority, &vlan));
	assert_int_equal(vlan, 10);
	assert_false(vlan_admit(&policy, ten, &vlan));
	assert_false(vlan_admit(&policy, twenty, &vlan));
	assert_int_equal(vlan_egress(&policy, 10, ten), VLAN_POP);
	assert_int_equal(vlan_egress(&policy, 10, priority), VLAN_POP);
	assert_int_equal(vlan_egress(&policy, 10, untagged), VLAN_KEEP); /* from another access port here */
	assert_int_equal(vlan_egress(&policy, 20, twenty), VLAN_DENY);
	assert_int_equal(vlan_egress(&policy, 0, untagged), VLAN_DENY);
}

static void the_fabric_carries_trunk_form(void **state)
{
	(void)state;
	assert_int_equal(vlan_egress_fabric(0, untagged), VLAN_KEEP);
	assert_int_equal(vlan_egress_fabric(0, priority), VLAN_KEEP);
	assert_int_equal(vlan_egress_fabric(10, ten), VLAN_KEEP);
	assert_int_equal(vlan_egress_fabric(10, untagged), VLAN_PUSH);
	assert_int_equal(vlan_egress_fabric(10, priority), VLAN_SET);
}

static void the_length_follows_the_action(void **state)
{
	(void)state;
	assert_int_equal(vlan_grows_by(VLAN_PUSH), 4);
	assert_int_equal(vlan_grows_by(VLAN_POP), -4);
	assert_int_equal(vlan_grows_by(VLAN_SET), 0);
	assert_int_equal(vlan_grows_by(VLAN_KEEP), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trunk_all_takes_all_but_4095),
		cmocka_unit_test(trunk_list_takes_its_list),
		cmocka_unit_test(access_is_one_untagged_vlan),
		cmocka_unit_test(the_fabric_carries_trunk_form),
		cmocka_unit_test(the_length_follows_the_action),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
