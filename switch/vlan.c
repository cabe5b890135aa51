/*
 * vlan.c - see vlan.h
 */
#include "switch/vlan.h"

#include <assert.h>
#include <string.h>

#define MACS_BYTES 12U
#define TPID_HIGH 0x81 /* 802.1Q: 0x8100 */
#define TPID_LOW 0x00

static bool listed(const struct vlan_policy *policy, uint16_t vlan)
{
	return policy->list[vlan / 64] >> (vlan % 64) & 1;
}

void vlan_policy_add(struct vlan_policy *policy, uint16_t vlan)
{
	assert(vlan <= VLAN_MAX);
	policy->list[vlan / 64] |= 1ULL << (vlan % 64);
}

bool vlan_admit(const struct vlan_policy *policy, struct vlan_form form, uint16_t *vlan)
{
	uint16_t id = vlan_form_id(form);

	if (id > VLAN_MAX)
		return false;
	switch (policy->mode) {
	case VLAN_TRUNK_ALL:
		break;
	case VLAN_TRUNK_LIST:
		if (!listed(policy, id))
			return false;
		break;
	case VLAN_ACCESS:
		/* even its own VLAN: what is behind such a tag would come out elsewhere with one tag less */
		if (id != 0)
			return false;
		id = policy->access;
		break;
	}
	*vlan = id;
	return true;
}

enum vlan_action vlan_egress_fabric(uint16_t vlan, struct vlan_form form)
{
	if (vlan_form_id(form) == vlan)
		return VLAN_KEEP;
	return form.tagged ? VLAN_SET : VLAN_PUSH;
}

enum vlan_action vlan_egress(const struct vlan_policy *policy, uint16_t vlan, struct vlan_form form)
{
	switch (policy->mode) {
	case VLAN_TRUNK_ALL:
		break;
	case VLAN_TRUNK_LIST:
		if (!listed(policy, vlan))
			return VLAN_DENY;
		break;
	case VLAN_ACCESS:
		if (vlan != policy->access)
			return VLAN_DENY;
		return form.tagged ? VLAN_POP : VLAN_KEEP;
	}
	return vlan_egress_fabric(vlan, form);
}

static struct iovec slice(const uint8_t *at, size_t len_bytes)
{
	return (struct iovec){ .iov_base = (void *)(uintptr_t)at, .iov_len = len_bytes };
}

int vlan_slices(enum vlan_action action, uint16_t vlan, const uint8_t *frame, size_t len_bytes,
	uint8_t tag[VLAN_TAG_BYTES], struct iovec out[3])
{
	const size_t behind_tag = MACS_BYTES + VLAN_TAG_BYTES;

	assert(action != VLAN_DENY);
	assert(len_bytes >= (action == VLAN_POP || action == VLAN_SET ? behind_tag : MACS_BYTES));
	if (action == VLAN_KEEP) {
		out[0] = slice(frame, len_bytes);
		return 1;
	}
	out[0] = slice(frame, MACS_BYTES);
	if (action == VLAN_POP) {
		out[1] = slice(frame + behind_tag, len_bytes - behind_tag);
		return 2;
	}
	out[1] = slice(tag, VLAN_TAG_BYTES);
	if (action == VLAN_PUSH) {
		tag[0] = TPID_HIGH;
		tag[1] = TPID_LOW;
		tag[2] = (uint8_t)(vlan >> 8);
		out[2] = slice(frame + MACS_BYTES, len_bytes - MACS_BYTES);
	} else {
		memcpy(tag, frame + MACS_BYTES, VLAN_TAG_BYTES);
		tag[2] = (uint8_t)((tag[2] & 0xf0) | vlan >> 8); /* keeps PCP and DEI */
		out[2] = slice(frame + behind_tag, len_bytes - behind_tag);
	}
	tag[3] = (uint8_t)vlan;
	return 3;
}
