/*
 * port_vlans.h - the VLANs that our TAP has in a bridge which filters by VLAN
 *
 * The bridge's VLANs are the network's.  By the port's policy: an access port is in its VLAN, without a tag; a trunk is in all VLANs of
 * its list, tagged, and in the bridge's VLAN for untagged frames without a tag where it takes such frames.
 */
#ifndef TAP_PORT_VLANS_H
#define TAP_PORT_VLANS_H

#include "base/bridge_vlans.h"
#include "lab/vlan_policy.h"

/* @default_pvid: the bridge's VLAN for untagged frames, 0 for none */
void port_vlans_wanted(const struct vlan_policy *policy, uint16_t default_pvid, struct bridge_vlans *out);

/* Return: whether both are in one VLAN */
bool port_vlans_meet(const struct bridge_vlans *a, const struct bridge_vlans *b);

#endif /* TAP_PORT_VLANS_H */
