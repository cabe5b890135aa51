#!/bin/bash
# A port in a container's namespace: made there, kept while weftd is stopped, killed and restarted, made again with the
# namespace, told where it is not, and gone with the lab.
#
#   ctl ---- net ---- h1 ==veth== eth1 of the namespace c1 (10.0.0.51), as ip-netns(8) knows it
#                |
#                +--- h2 (h2a)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

C1=$PREFIX-c1 # the namespace's name: one for all of the machine

c1_up() {
	must ip netns add "$C1"
	must ip -n "$C1" link set lo up
}
c1_address() { ip -n "$C1" addr add 10.0.0.51/24 dev eth1; }
c1_reaches() { ip netns exec "$C1" ping -n -q -c 1 -W 0.3 "$1"; }
state() { agent_status h1 | jq -r '.ports[] | select(.name == "h1-c1") | .state + " " + (.error // "")'; }
state_is() { state | grep -q -- "$1"; }
inner() { ip -n "$C1" -j link show eth1 2>/dev/null | jq -c '.[0] | [.ifindex, .address, .mtu]'; }

inner_gone() { [ -z "$(inner)" ]; }

fabric_without_lab 2
SPACES+=("$C1")
agent_start h1 h2
cat >"$WORK/lab.yaml" <<YAML
lab: lab
networks:
  mgmt: { mtu: 1400 }
ports:
  h1-c1:  { host: h1, network: mgmt, attach: "netns:$C1/eth1", mac: "52:54:00:00:00:51" }
  h2-lan: { host: h2, network: mgmt, attach: "bridge:br-lab" }
YAML
must operator apply "$WORK/lab.yaml" --no-wait
within 10 "no namespace: the port says so, and what to do" state_is "there is no network namespace $C1: make it (ip netns add $C1)"
sleep 4 # weftd's own next attempt is as far off now: it is not what is waited for
c1_up
within 1 "it is made: so is the interface, at once" state_is "^up"
must c1_address
within 5 "traffic passes" c1_reaches 10.0.0.21
equal "MAC and MTU are the lab's" '"52:54:00:00:00:51",1400]' "$(inner | cut -d, -f2-)"
before=$(inner)

stop h1 TERM
equal "weftd is stopped: the interface stays" "$before" "$(inner)"
agent_start h1
within 5 "weftd starts: traffic passes, the address is still there" c1_reaches 10.0.0.21
stop h1 KILL
agent_start h1
within 5 "weftd is killed and starts: traffic passes" c1_reaches 10.0.0.21
equal "it is the same interface" "$before" "$(inner)"

must ip -n "$C1" link set eth1 down
within 5 "set down inside: told with what to do" state_is "^down eth1 in the namespace $C1 was set down: ip -n $C1 link set eth1 up"
must ip -n "$C1" link set eth1 up
within 10 "... and up again" state_is "^up"

must ip netns del "$C1"
within 10 "the namespace goes: told" state_is "there is no network namespace $C1"
c1_up
within 5 "it comes again: so does the interface" state_is "^up"
must c1_address
within 5 "traffic passes" c1_reaches 10.0.0.21

check "the lab is deleted" operator delete lab --wait
within 5 "the interface is gone" inner_gone
equal "no device is left on the host" 0 "$(in_ip h1 -j link show type veth | jq '[.[] | select(.ifname | startswith("wf"))] | length')"
finish
