#!/bin/bash
# Wires, hubs and VLANs: what passes, what does not, and with which tag.
#
#   h1: br-lab (h1a), wa (VM wire-a), pa (VM hub-a) ---- net ---- h2: br-lab (h2a), wb (wire-b), pb (hub-b)
#
# The wire's and the hub's ends are AF_PACKET ports on the VMs' own links, since a Linux bridge swallows LACP and STP.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LLDP=01:80:c2:00:00:0e
LACP=01:80:c2:00:00:02
STP=01:80:c2:00:00:00
PAUSE=01:80:c2:00:00:01

# end_add HOST VM DEVICE: a VM whose link is DEVICE on the host, in no bridge
end_add() {
	space_add "$2"
	must in_ip "$1" link add "$3" type veth peer name eth0 netns "$PREFIX-$2"
	must in_ip "$1" link set "$3" up
	must in_ip "$2" link set eth0 up
}

# heard_of VM SENDER FRAMES-ARGUMENTS...: how many of 20 frames arrive; HEARD has the rest
heard_of() {
	local vm=$1 sender=$2
	shift 2
	listen "$vm"
	must on "$sender" "$FRAMES" send --count 20 "$@"
	listened "$vm"
}

# passes TEXT VM SENDER ARGUMENTS... and blocked ...
passes() {
	local text=$1
	shift
	heard_of "$@"
	equal "$text" "20 0" "$(heard received) $(heard duplicates)"
}
blocked() {
	local text=$1
	shift
	heard_of "$@"
	equal "$text" 0 "$(heard received)"
}
tag() { jq -c '.streams["1"].vlan' <<<"$HEARD"; }

fabric_up 2
end_add h1 wire-a wa
end_add h2 wire-b wb
end_add h1 hub-a pa
end_add h2 hub-b pb
cat >"$WORK/segments.yaml" <<'YAML'
lab: segments
networks:
  hub: { mode: hub }
ports:
  hub-a: { host: h1, network: hub, attach: "packet:pa" }
  hub-b: { host: h2, network: hub, attach: "packet:pb" }
wires:
  cable: [ { host: h1, attach: "packet:wa" }, { host: h2, attach: "packet:wb" } ]
YAML
check "a lab of a wire and a hub applies" apply "$WORK/segments.yaml"

for end in "LLDP $LLDP" "LACP $LACP" "STP $STP" "pause $PAUSE"; do
	passes "${end% *} frames pass the wire" wire-b wire-a --to "${end#* }"
done
passes "a wire passes unicast to anyone" wire-a wire-b --to 52:54:00:00:00:77
passes "a wire passes full frames" wire-b wire-a --to 52:54:00:00:00:77 --size 1514
passes "a wire passes a VLAN tag" wire-b wire-a --to 52:54:00:00:00:77 --vlan 7
equal "... and it is still there" "[7]" "$(tag)"
blocked "what is on the wire is nowhere else" h2a wire-a --to ff:ff:ff:ff:ff:ff
blocked "what is on the switch is not on the wire" wire-b h1a --to ff:ff:ff:ff:ff:ff

passes "a hub floods" hub-b hub-a --to ff:ff:ff:ff:ff:ff

cat >"$WORK/lldp.yaml" <<'YAML'
lab: segments
networks:
  switch: {}
  vlans: {}
ports:
  switch-a: { host: h1, network: switch, attach: "packet:pa" }
  switch-b: { host: h2, network: switch, attach: "packet:pb" }
  vlans-a: { host: h1, network: vlans, attach: "packet:wa", vlan: { access: 10 } }
  vlans-b: { host: h2, network: vlans, attach: "packet:wb", vlan: { trunk: [10, 20] } }
YAML
check "the lab changes to switches and VLANs" apply "$WORK/lldp.yaml"
passes "the switch passes broadcast" hub-b hub-a --to ff:ff:ff:ff:ff:ff
for end in "LLDP $LLDP" "LACP $LACP" "STP $STP" "pause $PAUSE"; do
	blocked "${end% *} frames do not pass a switch" hub-b hub-a --to "${end#* }"
done
must sed -i 's/switch: {}/switch: { pass: [lldp] }/' "$WORK/lldp.yaml"
check "the switch is told to pass LLDP" apply "$WORK/lldp.yaml"
passes "LLDP passes now" hub-b hub-a --to $LLDP
for end in "LACP $LACP" "STP $STP" "pause $PAUSE"; do
	blocked "... and ${end% *} does not" hub-b hub-a --to "${end#* }"
done
passes "an access port's frames reach the trunk" wire-b wire-a --to ff:ff:ff:ff:ff:ff
equal "... with the access VLAN's tag" "[10]" "$(tag)"
passes "the trunk's VLAN 10 reaches the access port" wire-a wire-b --to ff:ff:ff:ff:ff:ff --vlan 10
equal "... without a tag" "[0]" "$(tag)"
blocked "the trunk's VLAN 20 does not" wire-a wire-b --to ff:ff:ff:ff:ff:ff --vlan 20
blocked "a VLAN that the trunk does not carry goes nowhere" wire-a wire-b --to ff:ff:ff:ff:ff:ff --vlan 30
blocked "a tagged frame does not enter an access port" wire-b wire-a --to ff:ff:ff:ff:ff:ff --vlan 20
check "the lab beside it is as it was" reaches h1a 10.0.0.21
finish
