/*
 * vlan_policy.c - see vlan_policy.h
 */
#include "lab/vlan_policy.h"

#include <assert.h>
#include <string.h>

void vlan_policy_add(struct vlan_policy *policy, uint16_t vlan)
{
	assert(vlan <= VLAN_MAX);
	policy->list[vlan / 64] |= 1ULL << (vlan % 64);
}

bool vlan_policy_lists(const struct vlan_policy *policy, uint16_t vlan)
{
	return policy->list[vlan / 64] >> (vlan % 64) & 1;
}

bool vlan_policy_equal(const struct vlan_policy *a, const struct vlan_policy *b)
{
	return a->mode == b->mode && a->access == b->access && memcmp(a->list, b->list, sizeof(a->list)) == 0;
}
