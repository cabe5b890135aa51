/*
 * test_vlan.c - every policy with every kind of tag
 */
#include "switch/vlan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

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

/* An IPv4 frame in VLAN 10, with a priority, as it becomes by each action */
static void an_action_edits_the_tag(void **state)
{
	uint8_t memory[PACKET_HEADROOM_BYTES + 64] = { 0 }, *start = memory + PACKET_HEADROOM_BYTES;
	struct packet packet;

	(void)state;
	memcpy(start, "\x02\0\0\0\0\1\x02\0\0\0\0\2\x08\x06", 14);
	packet_init(&packet, start, 60, PACKET_HEADROOM_BYTES);
	packet.offload = (struct offload){ .partial = true, .csum_start = 34, .csum_offset = 16 };
	packet.vlan = 10;
	assert_true(packet_parse(&packet));
	assert_true(vlan_apply(VLAN_KEEP, &packet));
	assert_int_equal(packet.bytes, 60);
	assert_false(vlan_apply(VLAN_POP, &packet));
	assert_false(vlan_apply(VLAN_SET, &packet));
	assert_false(vlan_apply(VLAN_DENY, &packet));
	assert_true(vlan_apply(VLAN_PUSH, &packet));
	assert_ptr_equal(packet.frame, start - VLAN_TAG_BYTES);
	assert_int_equal(packet.bytes, 64);
	assert_int_equal(packet.offload.csum_start, 38);
	assert_true(packet.info.tagged && packet.info.tci == 10 && packet.info.ethertype == FRAME_ETHERTYPE_ARP);
	packet.vlan = 20;
	assert_true(vlan_apply(VLAN_SET, &packet));
	assert_memory_equal(packet.frame + 12, "\x81\0\0\x14", 4);
	assert_true(vlan_apply(VLAN_POP, &packet));
	assert_ptr_equal(packet.frame, start);
	assert_int_equal(packet.offload.csum_start, 34);
	assert_false(packet.info.tagged);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trunk_all_takes_all_but_4095),
		cmocka_unit_test(trunk_list_takes_its_list),
		cmocka_unit_test(access_is_one_untagged_vlan),
		cmocka_unit_test(the_fabric_carries_trunk_form),
		cmocka_unit_test(an_action_edits_the_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
