/*
 * vlan.c - see vlan.h
 */
#include "switch/vlan.h"

#include "packet/tag.h"

bool vlan_admit(const struct vlan_policy *policy, struct vlan_form form, uint16_t *vlan)
{
	uint16_t id = vlan_form_id(form);

	if (id > VLAN_MAX)
		return false;
	switch (policy->mode) {
	case VLAN_TRUNK_ALL:
		break;
	case VLAN_TRUNK_LIST:
		if (!vlan_policy_lists(policy, id))
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
		if (!vlan_policy_lists(policy, vlan))
			return VLAN_DENY;
		break;
	case VLAN_ACCESS:
		if (vlan != policy->access)
			return VLAN_DENY;
		return form.tagged ? VLAN_POP : VLAN_KEEP;
	}
	return vlan_egress_fabric(vlan, form);
}

bool vlan_apply(enum vlan_action action, struct packet *packet)
{
	switch (action) {
	case VLAN_KEEP:
		return true;
	case VLAN_PUSH:
		return packet_tag_push(packet, packet->vlan);
	case VLAN_POP:
		return packet_tag_pop(packet);
	case VLAN_SET:
		return packet_tag_set(packet, packet->vlan);
	case VLAN_DENY:
		break;
	}
	return false;
}
