#!/bin/bash
# A datagram that is lost out of a train costs what was in it and no more, and TCP completes over an underlay that loses.
#
#   h1 (h1a) -- up0 = to-h1 [weft-underlay, loss] bad-h1 = in-h1 -- net: ul -- h2 (h2a)
#
# weft sends trains all the while (UDP_SEGMENT); the hosts' links cut them, so that each datagram meets its own fate.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

FLOWS=$ROOT/tests/e2e/flows.py
DATAGRAMS=40000

# tool VM COMMAND: flows.py in the background; its report is the last line of $WORK/COMMAND
tool() {
	rm -f "$WORK/$2"
	ip netns exec "$PREFIX-$1" "$FLOWS" "$2" >"$WORK/$2" 2>>"$LOGS/$2.log" </dev/null &
	PIDS[$2]=$!
	wait_until 10 test -s "$WORK/$2" || bail "flows.py $2 does not start on $1"
}

# lossy PERCENT: both ways
lossy() {
	[ -z "${PIDS[underlay]:-}" ] || stop underlay
	spawn underlay net "$TOOLS/weft-underlay" --loss "$1" to-h1 bad-h1
	must wait_until 10 ping_once h1a 10.0.0.21
}

# tcp TEXT FROM TO ADDRESS MIB
tcp() {
	local sent
	tool "$3" serve
	sent=$(on "$2" "$FLOWS" send "$4" --mib "$5")
	ended serve
	equal "$1, TCP: $5 MiB as they were sent, in $(jq .seconds <<<"$sent") s" "$(jq .sha256 <<<"$sent")" \
		"$(tail -n 1 "$WORK/serve" | jq .sha256)"
}

# lost_one_by_one TEXT PERCENT FROM TO ADDRESS: a train of 16 guest datagrams loses single ones, so that the guests' loss is
# the underlay's, half to twice of it; were trains lost as one, or all behind a gap, it would be many times as much
lost_one_by_one() {
	local missing verdict
	tool "$4" collect
	must on "$3" "$FLOWS" scatter "$5" --segments 16 --count $DATAGRAMS --rate 8000
	must wait_until 10 ping_once "$3" "$5"
	stop collect
	missing=$(tail -n 1 "$WORK/collect" | jq "$DATAGRAMS - .received")
	verdict=$(tail -n 1 "$WORK/collect" | jq "[.reordered, .corrupt, .duplicates] == [0, 0, 0]")
	awk -v m="$missing" -v n=$DATAGRAMS -v p="$2" 'BEGIN {exit !(m > n * p / 200 && m < n * p / 50)}' && [ "$verdict" = true ]
	verdict $? "$1, UDP in trains of 16: $missing of $DATAGRAMS missing, none damaged or out of order" "$(cat "$WORK/collect")"
}

fabric_up 2
for host in h1 h2; do must on $host ethtool -K up0 tso off gso off gro off tx-udp-segmentation off; done
must in_ip net link add bad-h1 type veth peer name in-h1
must in_ip net link set in-h1 master ul up
must in_ip net link set bad-h1 up
must in_ip net link set to-h1 nomaster
for percent in 0.1 1; do
	lossy $percent
	tcp "$percent% loss" h1a h2a 10.0.0.21 32
	tcp "$percent% loss, the other way by IPv6" h2a h1a fd00::11 16
	lost_one_by_one "$percent% loss" $percent h1a h2a 10.0.0.21
	lost_one_by_one "$percent% loss, the other way" $percent h2a h1a 10.0.0.11
done
for host in h1 h2; do
	equal "$host: nothing damaged, nothing out of a wrong fragment" 0 "$(drops $host not-authentic fragment-bad)"
	check "$host still sends trains" jq -e .datapath.udp_gso <(agent_status $host)
done
finish
