#!/bin/bash
# Joining a bridge changes nothing of it, and two fabrics of one host do not meet.
#
#   net ---- h1: br-jumbo (MTU 9000 by its port; 10.9.0.1): nas; wf... of a lab with MTU 1500      h2: br-lab
#             \- a second weftd, of another fabric, with a port in the same bridge
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# state_of BRIDGE: what people set, and what follows from its ports
state_of() {
	in_ip h1 -j -d link show "$1" | jq -c '.[0] | [.address, .mtu, .ifalias, .flags,
		(.linkinfo.info_data | del(.gc_timer, .hello_timer, .tcn_timer, .topology_change_timer))]'
}

lab_jumbo() { # MTU
	printf 'lab: jumbo\nnetworks: { n: { mtu: %s } }\nports:\n' "$1"
	echo '  one: { host: h1, network: n, attach: "bridge:br-jumbo" }'
	echo '  two: { host: h2, network: n, attach: "bridge:br-lab" }'
}

mtu_of() { in_ip "$1" -j link show "$2" | jq '.[0].mtu'; }
mtu_is() { [ "$(mtu_of "$1" "$2")" = "$3" ]; }
device_of() { agent_status h1 | jq -r '.ports[0].device'; }
big_ping() { on h1 ping -n -q -c 3 -i 0.05 -W 2 -M "do" -s 8900 10.9.0.2; }
port_up() { agent_status h1 | jq -e '.ports[0].state == "up"'; }

fabric_without_lab 2
bridge_add h1 br-jumbo
space_add nas
must in_ip h1 link add to-nas mtu 9000 type veth peer name eth0 mtu 9000 netns "$PREFIX-nas"
must in_ip h1 link set to-nas master br-jumbo up
must in_ip nas link set eth0 up
must in_ip nas addr add 10.9.0.2/24 dev eth0
must in_ip h1 addr add 10.9.0.1/24 dev br-jumbo
agent_start h1 h2
check "the host's own jumbo frames pass" big_ping
before=$(state_of br-jumbo)

lab_jumbo 1500 >"$WORK/jumbo.yaml"
check "a lab with an MTU of 1500 applies" apply "$WORK/jumbo.yaml"
equal "the bridge is as it was" "$before" "$(state_of br-jumbo)"
check "the host's own jumbo frames pass" big_ping
must in_ip h2 addr add 10.9.0.3/24 dev br-lab
within 5 "the lab carries frames of its MTU" on h1 ping -n -q -c 1 -W 1 -M "do" -s 1472 10.9.0.3
refuse "a larger one is refused, and its sender told" "mtu ?= ?1500" on nas ping -n -c 2 -i 0.2 -W 1 -M "do" -s 3000 10.9.0.3
check "... and counted" test "$(drops h1 frame-oversize)" -ge 1

must in_ip nas link set eth0 mtu 1500
must in_ip h1 link set to-nas mtu 4000
within 5 "the bridge follows its other port to 4000" mtu_is h1 br-jumbo 4000
must in_ip h1 link set to-nas mtu 9000
within 5 "... and back to 9000: our TAP does not hold it" mtu_is h1 br-jumbo 9000
must in_ip nas link set eth0 mtu 9000

say "a second fabric on the same host"
space_add ctl2
plug ctl2 101
must on ctl2 "$BUILD/weft" init --name e2e --listen "$(with_port "$(address 101)" 4753)" --state "$WORK/ctl2"
spawn controller2 ctl2 "$BUILD/weft-controller" --state "$WORK/ctl2"
operator2() {
	local command=$1
	shift
	on ctl2 "$BUILD/weft" "$command" "$@" --state "$WORK/ctl2"
}
wait_until 10 operator2 get hosts || bail "the second controller does not answer"
token=$(operator2 token h1) || bail "no token: $token"
must on h1 "$BUILD/weft" join "$token" --state "$WORK/h1-other" --port 5754
spawn h1-other h1 "$BUILD/weftd" --state "$WORK/h1-other"
grep -v h2 "$WORK/jumbo.yaml" >"$WORK/other.yaml"
check "its lab of the same name, with a port of the same name, applies" operator2 apply "$WORK/other.yaml" --wait
first=$(device_of)
second=$(on h1 "$BUILD/weft" status --json --state "$WORK/h1-other" | jq -r '.ports[0].device')
say "$first and $second"
check "their TAPs have names of their own" test "$first" != "$second"
check "the first one's port is up" port_up
equal "the bridge is as it was" "$before" "$(state_of br-jumbo)"
stop h1-other

say "restarts and leaving"
stop h1
agent_start h1
within 10 "weftd again: the port is up" port_up
equal "... on a TAP of the same name" "$first" "$(device_of)"
equal "... and the bridge is as it was" "$before" "$(state_of br-jumbo)"
must operator delete jumbo
left() { ! in_ip h1 link show "$first"; }
within 10 "the lab leaves, and its TAP" left
equal "the bridge is as it was" "$before" "$(state_of br-jumbo)"
finish
