#!/bin/bash
# A bridge that filters by VLAN: our TAP has the VLANs of its port's policy, and no other.  Needs a kernel with
# CONFIG_BRIDGE_VLAN_FILTERING, as Debian's is.
#
#   net ---- h1: br-v (vlan_filtering): vm-a, vm-b in VLAN 10, vm-c in VLAN 20; wf...      h2: br-lab (ordinary)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

lab_vlan() { # POLICY-OF-h1
	printf 'lab: vlan\nnetworks: { n: { mtu: 1500 } }\nports:\n'
	echo "  one: { host: h1, network: n, attach: \"bridge:br-v\", vlan: $1 }"
	echo '  two: { host: h2, network: n, attach: "bridge:br-lab", vlan: { access: 10 } }'
}

device() { agent_status h1 | jq -r '.ports[] | select(.name == "one") | .device'; }
# vlans: "10 pvid untagged,20", as bridge(8) has them; a run is "2-4094"
vlans() {
	on h1 bridge -j vlan show dev "$(device)" | jq -r '[.[0].vlans[]? |
		"\(.vlan)\(if .vlanEnd then "-\(.vlanEnd)" else "" end)\(if .flags then " " + (.flags | map(ascii_downcase)
		| sort | join(" ")) | sub("egress "; "") else "" end)"] | join(",")'
}
vlans_are() { [ "$(vlans)" = "$1" ]; }
state_is() { agent_status h1 | jq -e --arg state "$1" '.ports[] | select(.name == "one") | .state == $state'; }
applied() { # POLICY
	lab_vlan "$1" >"$WORK/vlan.yaml"
	check "the lab with vlan: $1 applies" apply "$WORK/vlan.yaml"
}

fabric_without_lab 2
must in_ip h1 link add br-v type bridge vlan_filtering 1
must in_ip h1 link set br-v up
vm_add h1 va 41 br-v
vm_add h1 vb 42 br-v
vm_add h1 vc 43 br-v
for vm in va vb vc; do
	must on h1 bridge vlan del dev "vm-$vm" vid 1
	[ $vm = vc ] && vid=20 || vid=10
	must on h1 bridge vlan add dev "vm-$vm" vid $vid pvid untagged
done
agent_start h1 h2

applied '{ access: 10 }'
within 5 "access: 10 is its VLAN, untagged" vlans_are "10 pvid untagged"
within 5 "a guest in VLAN 10 reaches the other host's" ping_once va 10.0.0.21
refuse "one in VLAN 20 does not" "100% packet loss" on vc ping -n -c 1 -W 1 10.0.0.21
applied '{ trunk: [10, 20] }'
within 5 "trunk: [10, 20] is both, tagged" vlans_are "10,20"
within 5 "a guest in VLAN 10 reaches the other host's, tagged on the way" ping_once va 10.0.0.21
applied '{ trunk: all }'
within 5 "trunk: all is all, and untagged frames in the bridge's own VLAN" vlans_are "1 pvid untagged,2-4094"

say "the truth"
applied '{ access: 10 }'
within 5 "access: 10 again" vlans_are "10 pvid untagged"
must on h1 bridge vlan del dev "$(device)" vid 10
within 5 "taken away by somebody: it is given back" vlans_are "10 pvid untagged"
lab_vlan '{ trunk: [30] }' >"$WORK/vlan.yaml"
refuse "a VLAN that no other port has: apply --wait says so" "filters by VLAN" operator apply "$WORK/vlan.yaml" --wait --timeout 3s
within 5 "... and the port is down" state_is down
must on h1 bridge vlan add dev vm-vc vid 30
within 5 "... until one has it: up" state_is up

say "a restart and leaving"
applied '{ access: 10 }'
stop h1
agent_start h1
within 10 "weftd again: up" state_is up
within 5 "... with its VLAN" vlans_are "10 pvid untagged"
name=$(device)
must operator delete vlan
left() { ! in_ip h1 link show "$name"; }
within 10 "the lab leaves, and its TAP with its VLANs" left
equal "the other ports have what they had" 3 "$(on h1 bridge -j vlan show | jq '[.[] | select(.ifname | startswith("vm-v"))] | length')"
finish
