#!/bin/bash
# A port's state is what it can do now: each fault of a device, a bridge or a firewall is caused, seen within seconds on the host and
# at the controller, mended, and gone by itself.
#
#   net ---- h1: br-lab: wf... (lan), vm-h1a        h2: br-lab (lan)
#            |   pv1 == guest of pkt                one lab, one network; three ports on h1:
#            |   tp1, in the container c1           lan bridge:br-lab, pkt packet:pv1, tap tap:tp1
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LIMIT=3 # seconds until the truth is shown: two to look for what nobody tells of, and a report

# shown PORT STATE [PATTERN]: on the host and, from its report, at the controller
shown() {
	local item
	item=$(agent_status h1 | jq -e --arg port "$1" '.ports[] | select(.name == $port)') || return 1
	[ "$(jq -r .state <<<"$item")" = "$2" ] || return 1
	jq -r '.error // ""' <<<"$item" | grep -qE -- "${3:-^$}" || return 1
	[ "$(operator get ports --json | jq -r --arg port "$1" '.items[] | select(.name == $port) | .state')" = "$2" ]
}

# fault PORT STATE PATTERN TEXT: is shown within the limit
fault() {
	within $LIMIT "$4: $2" shown "$1" "$2" "$3"
}

# mended PORT TEXT
mended() { within $LIMIT "... $2: up" shown "$1" up; }

applies() { operator apply "$WORK/truth.yaml" --timeout "${1:-30}s"; }

lan_device() { agent_status h1 | jq -r '.ports[] | select(.name == "h1-lan") | .device'; }

lab_of() { # NETWORK-OPTIONS
	lab lab h1 h2 | sed "s/mtu: 1500/mtu: 1500$1/"
	echo '  pkt: { host: h1, network: mgmt, attach: "packet:pv1" }'
	echo '  tap: { host: h1, network: mgmt, attach: "tap:tp1" }'
}

h1() { must in_ip h1 "$@"; }

fabric_without_lab 2
agent_start h1 h2
space_add guest c1
h1 link add pv1 type veth peer name eth0 netns "$PREFIX-guest"
h1 link set pv1 up
must in_ip guest link set eth0 up
must in_ip guest addr add 10.0.0.50/24 dev eth0
lab_of "" >"$WORK/truth.yaml"
check "the lab applies" applies
within 5 "h1a and the guest reach each other" ping_once h1a 10.0.0.50
device=$(lan_device)
equal "the TAP says whose it is" "weft lab/h1-lan" "$(in_ip h1 -j link show "$device" | jq -r '.[0].ifalias')"

say "the device"
h1 link set "$device" down
fault h1-lan down "ip link set $device up" "set down"
refuse "... apply says so and fails" "ip link set $device up" applies 1
h1 link set "$device" up
mended h1-lan "set up"
h1 link set "$device" nomaster
within $LIMIT "taken out of its bridge: it is put back" \
	sh -c "sleep 0.3; ip -n $PREFIX-h1 -j link show $device | jq -e '.[0].master == \"br-lab\"'"
mended h1-lan "back in it"
h1 link del "$device"
within $LIMIT "deleted: it is made anew, under the same name" in_ip h1 link show "$device"
mended h1-lan "made anew"
h1 link set "$device" down
h1 link set "$device" name other0
within $LIMIT "renamed: it is made anew" in_ip h1 link show "$device"
mended h1-lan "made anew"
refuse "... and the renamed one is gone" "does not exist" in_ip h1 link show other0

say "the bridge"
h1 link set br-lab down
fault h1-lan down 'ip link set br-lab up' "bridge down"
h1 link set br-lab up
mended h1-lan "bridge up"
h1 link set vm-h1a mtu 1400
fault h1-lan limited 'vm-h1a .* ip link set vm-h1a mtu 1500' "a member's MTU is below the network's"
h1 link set vm-h1a mtu 1500
mended h1-lan "the member's MTU is the network's"
h1 link set br-lab name br-gone
fault h1-lan error 'there is no bridge br-lab' "another name"
bridge_add h1 br-lab
mended h1-lan "another bridge of that name"
check "... which has the TAP" sh -c "ip -n $PREFIX-h1 -j link show $device | jq -e '.[0].master == \"br-lab\"'"
h1 link del br-lab
h1 link set br-gone name br-lab
h1 link set br-lab up
mended h1-lan "the first one again"
h1 link set br-lab type bridge stp_state 1 forward_delay 300
h1 link set "$device" nomaster
fault h1-lan down 'spanning tree.* up to 6 s' "spanning tree waits"
within 9 "... forward delay is over: up" shown h1-lan up
h1 link set br-lab type bridge stp_state 0

say "reserved addresses"
lab_of ', pass: [lldp, lacp]' >"$WORK/truth.yaml"
refuse "apply of a network that passes LLDP" 'group_fwd_mask 0x4000' applies 2
fault h1-lan limited 'group_fwd_mask 0x4000' "the bridge keeps LLDP"
for host in h1 h2; do must in_ip $host link set br-lab type bridge group_fwd_mask 0x4000; done
fault h1-lan limited 'vm-h1. type bridge_slave group_fwd_mask 0x4' "the bridge keeps LACP"
lab_of "" >"$WORK/truth.yaml"
check "the first lab applies again" applies
mended h1-lan "nothing of that is wanted"

say "a firewall"
if on h1 test -e /proc/sys/net/bridge/bridge-nf-call-iptables; then
	must on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=1
	must on h1 nft 'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }'
	fault h1-lan down 'chain FORWARD of table ip filter drops them: .*bridge-nf-call-iptables=0' "br_netfilter and DROP"
	refuse "... and nothing passes, indeed" "100% packet loss" on h1a ping -n -c 1 -W 1 10.0.0.50
	must on h1 nft 'add rule ip filter FORWARD ip saddr 10.1.0.0/16 accept'
	fault h1-lan limited 'unless a rule before accepts' "br_netfilter, DROP, and rules that may accept"
	must on h1 nft 'add rule ip filter FORWARD iifname "br-lab" accept'
	mended h1-lan "a rule accepts the bridge's"
	must on h1 nft 'flush chain ip filter FORWARD'
	fault h1-lan down 'FORWARD' "without it"
	must on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=0
	mended h1-lan "switched off"
	must on h1 nft 'flush ruleset'
fi

say "an interface"
h1 link set pv1 down
fault pkt down 'ip link set pv1 up' "set down"
h1 link set pv1 up
mended pkt "set up"
h1 link set pv1 mtu 1400
fault pkt limited 'ip link set pv1 mtu 1500' "its MTU is below the network's"
h1 link set pv1 mtu 1500
mended pkt "its MTU is the network's"
h1 link set pv1 name before0
fault pkt error 'there is no interface pv1' "renamed"
refuse "... its guest is in no lab now" "100% packet loss" on h1a ping -n -c 1 -W 1 10.0.0.50
space_add stranger
h1 link add pv1 type veth peer name eth0 netns "$PREFIX-stranger"
must in_ip stranger link set eth0 up
must in_ip stranger addr add 10.0.0.51/24 dev eth0
h1 link set pv1 up
mended pkt "another has its name"
within 5 "... and is in the lab" ping_once h1a 10.0.0.51
h1 link del pv1
fault pkt error 'there is no interface pv1' "deleted"
h1 link set before0 name pv1
mended pkt "the first one again"

say "a TAP in a container"
h1 link set tp1 netns "$PREFIX-c1"
fault tap down 'in the network namespace that it was moved to' "moved, and so set down"
must in_ip c1 link set tp1 name eth0
must in_ip c1 addr add 10.0.0.60/24 dev eth0
must in_ip c1 link set eth0 up
mended tap "up there, under another name"
within 5 "... and reached" ping_once h1a 10.0.0.60
must in_ip c1 link set eth0 down
fault tap down 'ip link set eth0 up' "down there"
must ip netns del "$PREFIX-c1"
within $LIMIT "the container ends: a new TAP waits for the next one" in_ip h1 link show tp1
mended tap "made anew"

say "a declared address"
sed "s|attach: \"packet:pv1\"|attach: \"packet:pv1\", mac: \"52:54:00:00:00:11\"|" "$WORK/truth.yaml" >"$WORK/declared.yaml"
must operator apply "$WORK/declared.yaml" --no-wait
declared() {
	on h1a ping -n -q -c 1 -W 0.1 10.0.0.50
	shown h1-lan limited '52:54:00:00:00:11 is declared on port lab/pkt of this host and speaks here'
}
within 5 "an address that is declared elsewhere speaks: limited" declared
must operator apply "$WORK/truth.yaml" --no-wait
mended h1-lan "declared nowhere"

check "the lab applies at the end" applies
finish
