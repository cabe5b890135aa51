/*
 * test_port_vlans.c - a policy's VLANs on a bridge's port
 */
#include "tap/port_vlans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct vlan_policy policy;
static struct bridge_vlans got, wanted;

static int set_up(void **state)
{
	(void)state;
	memset(&policy, 0, sizeof(policy));
	memset(&wanted, 0, sizeof(wanted));
	return 0;
}

static void an_access_port_is_in_its_vlan_only(void **state)
{
	(void)state;
	policy.mode = VLAN_ACCESS;
	policy.access = 10;
	port_vlans_wanted(&policy, 1, &got);
	bridge_vlans_add(&wanted, 10, true);
	wanted.pvid = 10;
	assert_true(bridge_vlans_equal(&got, &wanted));
	assert_false(bridge_vlans_has(&got, 1));
}

static void a_trunk_has_its_list(void **state)
{
	(void)state;
	policy.mode = VLAN_TRUNK_LIST;
	vlan_policy_add(&policy, 20);
	vlan_policy_add(&policy, 4094);
	port_vlans_wanted(&policy, 1, &got);
	bridge_vlans_add(&wanted, 20, false);
	bridge_vlans_add(&wanted, 4094, false);
	assert_true(bridge_vlans_equal(&got, &wanted)); /* untagged frames are not on the list */
	vlan_policy_add(&policy, 0);
	port_vlans_wanted(&policy, 5, &got);
	bridge_vlans_add(&wanted, 5, true);
	wanted.pvid = 5;
	assert_true(bridge_vlans_equal(&got, &wanted));
	port_vlans_wanted(&policy, 0, &got); /* a bridge that drops untagged frames */
	assert_int_equal(got.pvid, 0);
	assert_false(bridge_vlans_has(&got, 5));
}

static void a_trunk_of_all_has_all(void **state)
{
	(void)state;
	policy.mode = VLAN_TRUNK_ALL;
	port_vlans_wanted(&policy, 1, &got);
	for (uint16_t vlan = 1; vlan <= BRIDGE_VLAN_MAX; vlan++)
		assert_true(bridge_vlans_has(&got, vlan));
	assert_int_equal(got.pvid, 1);
	assert_int_equal(got.untagged[0], 2);
	assert_int_equal(got.member[63] >> 63, 0); /* 4095 is none */
}

static void who_meets_whom(void **state)
{
	struct bridge_vlans other = { .pvid = 0 };

	(void)state;
	policy.mode = VLAN_ACCESS;
	policy.access = 10;
	port_vlans_wanted(&policy, 1, &got);
	assert_false(port_vlans_meet(&got, &other));
	bridge_vlans_add(&other, 9, false);
	assert_false(port_vlans_meet(&got, &other));
	bridge_vlans_add(&other, 10, false);
	assert_true(port_vlans_meet(&got, &other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_access_port_is_in_its_vlan_only, set_up),
		cmocka_unit_test_setup(a_trunk_has_its_list, set_up),
		cmocka_unit_test_setup(a_trunk_of_all_has_all, set_up),
		cmocka_unit_test_setup(who_meets_whom, set_up),
	};

	return cmocka_run_group_tests_name("port_vlans", tests, NULL, NULL);
}
