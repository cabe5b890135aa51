#!/bin/bash
# A host behind NAT is with a restarted public one again at once, and a path that is too small is said to be so.
#
#   net ---- h1 (h1a)
#       ---- nat (masquerades) ---- h2 (h2a), 10.9.0.2
#       ---- h3 (h3a), whose link gets an MTU of 1200
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

of() { agent_status "$1" | jq -er --arg peer "$2" --arg member "$3" '.peers[] | select(.host == $peer) | .[$member]'; }
up() { [ "$(of "$1" "$2" state)" = up ]; }
kept() { jq -e '.h2 | startswith("192.0.2.51:")' "$WORK/h1/whereabouts.json"; }

underlay_up
controller_up
host_add h1 1
host_add h3 3
space_add nat h2
plug nat 50
must on nat sysctl -qw net.ipv4.ip_forward=1
must in_ip nat link add in0 type veth peer name up0 netns "$PREFIX-h2"
must in_ip nat addr add 10.9.0.1/24 dev in0
must in_ip nat link set in0 up
must in_ip h2 addr add 10.9.0.2/24 dev up0
must in_ip h2 link set up0 up
must in_ip h2 route add default via 10.9.0.1
must on nat nft -f - <<'NFT'
table ip nat {
	chain post { type nat hook postrouting priority 100; oifname "up0" masquerade random; }
}
NFT
bridges_unfiltered h2
bridge_add h2 br-lab
for host in h1 h2 h3; do
	enrol $host
	vm_add $host ${host}a "${host#h}1"
	agent_start $host
done
lab lab h1 h2 h3 >"$WORK/lab.yaml"
must operator apply "$WORK/lab.yaml" --no-wait
within 15 "the public host has the one behind NAT" up h1 h2
within 10 "traffic passes" ping_once h1a 10.0.0.21
# what the controller has heard since, it tells; what it has not, is kept
stop controller KILL
must in_ip nat addr del 192.0.2.50/24 dev up0
must in_ip nat addr add 192.0.2.51/24 dev up0
within 30 "where it is now is kept on disk" kept
for signal in TERM KILL; do
	stop h1 $signal
	agent_start h1
	within 2 "SIG$signal and a start: the one behind NAT is back" up h1 h2
	within 2 "... with traffic" ping_once h1a 10.0.0.21
done
controller_start
echo '{"h2": "203.0.113.1:9", "h9": 7, ' >"$WORK/bad"
stop h1 KILL
cp "$WORK/bad" "$WORK/h1/whereabouts.json"
agent_start h1
within 15 "a file that cannot be read does no harm" up h1 h2

small() {
	on h1a ping -q -c 5 -i 0.1 -W 0.2 -s 1400 10.0.0.31
	of h1 h3 reason | grep -q "the path to 192.0.2.3:4754 is too small" && [ "$(of h1 h3 state)" = limited ] && ! of h1 h3 path_mtu
}
reported() { operator get hosts --json | jq -e '.items[] | select(.name == "h1") | .errors[]? | select(.host == "h3" and (.text | test("too small")))'; }
named() { operator get peers --json | jq -e '.items[] | select(.host == "h1" and .peer == "h3" and .state == "limited" and (.reason | test("too small")))'; }
mended() { up h1 h3 && ! of h1 h3 reason; }
within 5 "a path of 1500 bytes is no trouble" mended
must in_ip net link set to-h3 mtu 1200
must in_ip h3 link set up0 mtu 1200
stop h3 KILL
agent_start h3
within 20 "one of 1200 is said to be too small" small
within 10 "... to the controller, too" reported
within 5 "... and its path is not up" named
must in_ip net link set to-h3 mtu 1500
must in_ip h3 link set up0 mtu 1500
within 20 "mended, it is so no more" mended
finish
