/*
 * vlan_policy.h - which VLANs a port carries, and how: the choice that a lab makes for it
 *
 * A value.  What follows from it for a frame, switch/vlan.h decides; how it is written, lab/value.h knows.
 */
#ifndef LAB_VLAN_POLICY_H
#define LAB_VLAN_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define VLAN_MAX 4094U /* 4095 is reserved */

enum vlan_mode {
	VLAN_TRUNK_ALL,  /* every VLAN and untagged frames, as they are: the default */
	VLAN_TRUNK_LIST, /* those of the list; 0 in it means untagged frames */
	VLAN_ACCESS,     /* one VLAN, untagged on this port; frames with a tag of their own are denied */
};

struct vlan_policy {
	enum vlan_mode mode;
	uint16_t access;          /* VLAN_ACCESS: 1 to VLAN_MAX; 0 otherwise */
	uint64_t list[4096 / 64]; /* VLAN_TRUNK_LIST: bit per VLAN; 0 otherwise */
};

/* Put @vlan, 0 to VLAN_MAX, on the list */
void vlan_policy_add(struct vlan_policy *policy, uint16_t vlan);

/* Is @vlan, 0 to VLAN_MAX, on the list? */
bool vlan_policy_lists(const struct vlan_policy *policy, uint16_t vlan);

bool vlan_policy_equal(const struct vlan_policy *a, const struct vlan_policy *b);

/* The VLAN that all frames of the port are in, 0 where they may be in several */
static inline uint16_t vlan_policy_access(const struct vlan_policy *policy)
{
	return policy->mode == VLAN_ACCESS ? policy->access : 0;
}

#endif /* LAB_VLAN_POLICY_H */
