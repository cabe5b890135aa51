/*
 * test_vlan.c - every policy with every kind of tag, and the frames that come out
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

static size_t join(const struct iovec *slices, int count, uint8_t *out)
{
	size_t used = 0;

	for (int i = 0; i < count; i++) {
		memcpy(out + used, slices[i].iov_base, slices[i].iov_len);
		used += slices[i].iov_len;
	}
	return used;
}

#define MACS 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12

static void edits(enum vlan_action action, uint16_t vlan, const uint8_t *in, size_t in_bytes, const uint8_t *want,
	size_t want_bytes)
{
	uint8_t tag[VLAN_TAG_BYTES], got[64], before[64];
	struct iovec slices[3];
	size_t got_bytes;

	memcpy(before, in, in_bytes);
	got_bytes = join(slices, vlan_slices(action, vlan, in, in_bytes, tag, slices), got);
	assert_int_equal(got_bytes, want_bytes);
	assert_int_equal((int)got_bytes - (int)in_bytes, vlan_grows_by(action));
	assert_memory_equal(got, want, want_bytes);
	assert_memory_equal(before, in, in_bytes);
}

static void frames_are_edited_without_being_touched(void **state)
{
	const uint8_t plain[] = { MACS, 0x08, 0x00, 'x', 'y' };
	const uint8_t tagged[] = { MACS, 0x81, 0x00, 0x6f, 0xa1, 0x08, 0x00, 'x', 'y' };
	const uint8_t pushed[] = { MACS, 0x81, 0x00, 0x0f, 0xa1, 0x08, 0x00, 'x', 'y' };
	const uint8_t in_priority[] = { MACS, 0x81, 0x00, 0x60, 0x00, 0x08, 0x00, 'x', 'y' };

	(void)state;
	edits(VLAN_KEEP, 0, plain, sizeof(plain), plain, sizeof(plain));
	edits(VLAN_PUSH, 0xfa1, plain, sizeof(plain), pushed, sizeof(pushed));
	edits(VLAN_POP, 0xfa1, tagged, sizeof(tagged), plain, sizeof(plain));
	edits(VLAN_SET, 0xfa1, in_priority, sizeof(in_priority), tagged, sizeof(tagged));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trunk_all_takes_all_but_4095),
		cmocka_unit_test(trunk_list_takes_its_list),
		cmocka_unit_test(access_is_one_untagged_vlan),
		cmocka_unit_test(the_fabric_carries_trunk_form),
		cmocka_unit_test(frames_are_edited_without_being_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
