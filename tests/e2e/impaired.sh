#!/bin/bash
# A bad underlay: 5% loss, duplication and reordering of every datagram of h1's.
#
#   h1 (h1a) -- up0 = to-h1 [weft-underlay] bad-h1 = in-h1 -- net: ul -- h2 (h2a)
#
# Offloads are off on the hosts' links, so that each datagram meets its own fate rather than a whole train one.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LOSS=5
DUPLICATION=5
REORDERING=5

# heard_well TEXT STREAM SENT: nothing twice, nothing damaged, most of it there
heard_well() {
	local received
	received=$(heard received "$2")
	equal "$1: of $3 frames $received arrive, none twice, none damaged" "0 0" "$(heard duplicates "$2") $(heard corrupt "$2")"
	# each frame crosses once; a fragmented one needs both its halves
	[ "$received" -gt $(($3 * 80 / 100)) ] && [ "$received" -lt "$3" ]
	verdict $? "... and the loss is the underlay's" "$HEARD"
}

fabric_up 2
for host in h1 h2; do must on $host ethtool -K up0 tso off gso off gro off tx-udp-segmentation off; done
must in_ip net link add bad-h1 type veth peer name in-h1
must in_ip net link set in-h1 master ul up
must in_ip net link set bad-h1 up
must in_ip net link set to-h1 nomaster
spawn underlay net "$TOOLS/weft-underlay" --loss $LOSS --duplicate $DUPLICATION --reorder $REORDERING to-h1 bad-h1
must wait_until 5 ping_once h1a 10.0.0.21

listen h1a
listen h2a
stream h1a 52:54:00:00:00:21 --count 20000 --rate 4000 --size 200 --stream 1
stream h2a 52:54:00:00:00:11 --count 5000 --rate 1000 --size 1514 --stream 2
must on h1a "$FRAMES" send --to ff:ff:ff:ff:ff:ff --count 4000 --rate 1000 --stream 3
ended send-h1a
ended send-h2a
listened h2a
heard_well "small frames, h1 to h2" 1 20000
heard_well "broadcasts, h1 to h2" 3 4000
listened h1a
heard_well "full frames, h2 to h1" 2 5000

spawn iperf3 h2a iperf3 -s -1
must wait_until 5 on h2a sh -c 'ss -Hltn sport = :5201 | grep -q .'
on h1a timeout 30 iperf3 -c 10.0.0.21 -t 6 -J >"$WORK/iperf3.json"
mbits=$(jq '.end.sum_received.bits_per_second / 1e6 | floor' "$WORK/iperf3.json")
check "TCP goes on, at $mbits Mb/s" test "${mbits:-0}" -ge 1
stalled=$(jq '[.intervals[1:][].sum | select(.bytes == 0)] | length' "$WORK/iperf3.json")
equal "... without a second of silence" 0 "$stalled"

stop underlay
bad=$(tail -n 1 "$LOGS/underlay.log")
say "the underlay says: $bad"
check "the underlay did lose, double and reorder" \
	jq -e 'all(.lost > 100 and .duplicated > 100 and .reordered > 100)' <(jq -c '[.. | objects | select(has("lost"))]' <<<"$bad")
finish
