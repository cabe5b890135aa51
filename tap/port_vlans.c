/*
 * port_vlans.c - see port_vlans.h
 */
#include "tap/port_vlans.h"

#include <string.h>

static void add_untagged(struct bridge_vlans *out, uint16_t vlan)
{
	if (vlan == 0 || vlan > BRIDGE_VLAN_MAX)
		return;
	bridge_vlans_add(out, vlan, true);
	out->pvid = vlan;
}

void port_vlans_wanted(const struct vlan_policy *policy, uint16_t default_pvid, struct bridge_vlans *out)
{
	memset(out, 0, sizeof(*out));
	if (policy->mode == VLAN_ACCESS) {
		add_untagged(out, policy->access);
		return;
	}
	for (uint16_t vlan = 1; vlan <= BRIDGE_VLAN_MAX; vlan++)
		if (policy->mode == VLAN_TRUNK_ALL || vlan_policy_lists(policy, vlan))
			bridge_vlans_add(out, vlan, false);
	if (policy->mode == VLAN_TRUNK_ALL || vlan_policy_lists(policy, 0))
		add_untagged(out, default_pvid);
}

bool port_vlans_meet(const struct bridge_vlans *a, const struct bridge_vlans *b)
{
	for (size_t i = 0; i < BRIDGE_VLANS_WORDS; i++)
		if (a->member[i] & b->member[i])
			return true;
	return false;
}
