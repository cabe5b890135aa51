#!/bin/bash
# soak.sh [SECONDS=600] - full load for a long time: no growth in memory, and every packet accounted for
#
#     host A  ov 10.99.0.1 [weftd] uA ---- uB [weftd] ov 10.99.0.2  host B        (lib.sh, systems.sh)
#
# iperf3: four TCP flows and one of UDP, both ways at once.  At the end, for both directions A to B:
#
#   port in:     frames that the kernel handed to A's TAP = frames read, and those it dropped = missed_frames
#   datagrams:   A's tx_packets = B's rx_packets + B's lost_packets
#   lost:        B's lost_packets = what A's kernel refused (udp-full, udp-error, udp-too-big)
#                                 + what B's kernel dropped for want of room in weftd's sockets
#   port out:    frames that B's TAP took = frames written, and no drop of B's has a name that this list does not explain
#
# A frame is one read or write, a super-frame too; between frames and datagrams stand A's and B's drops by name, which are
# printed.  UOFF=1: the underlay's offloads off.
set -u
cd "$(dirname "$0")/../.." || exit 1

BUILD=${BUILD:-build}
DURATION=${1:-600}
# shellcheck disable=SC2034
UNDERLAY_MTU=1500
GROWTH_KIB=2048 # of one agent, from a tenth of the way to the end
failures=0

# shellcheck source-path=SCRIPTDIR
. tests/bench/lib.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/systems.sh

clean_up() {
	trap '' INT TERM HUP
	hosts_down
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# check TEXT LEFT RIGHT: are they equal?
check() {
	if [ "$2" -eq "$3" ]; then
		printf 'PASS  %s: %d\n' "$1" "$2"
	else
		printf 'FAIL  %s: %d and %d, %+d\n' "$1" "$2" "$3" $(($3 - $2))
		failures=$((failures + 1))
	fi
}

status() { on "$1" "$BUILD/weft" status --json --state "$WORK/agent-$1" >"$WORK/status-$1"; }
of() { jq -r "$2" "$WORK/status-$1"; } # HOST EXPRESSION
drops() { jq -r '[.drops[$ARGS.positional[]] // 0] | add' --args "${@:2}" <"$WORK/status-$1"; }
device() { net "$1" -j -s link show ov | jq "$2"; }
# what the kernel dropped for want of room in weftd's sockets on this host
overflowed() { on "$1" ss -Huanm 'sport = :4754' | grep -o ',d[0-9]*)' | tr -d ',d)' | awk '{n += $1} END {print n + 0}'; }
rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/${DAEMONS[$1]}/status"; }

listening() { on B ss -Hltn "sport = :$1" | grep -q .; }
running() { kill -0 "$1" 2>/dev/null && ! gone "$1"; }
iperf() { # NAME PORT ARGUMENTS...
	ip netns exec "$PREFIX-A" iperf3 -c 10.99.0.2 -p "$2" -t "$DURATION" --bidir -J "${@:3}" >"$WORK/$1.json" 2>>"$WORK/log-A" </dev/null &
	HELPERS+=($!)
}

# A lane's last datagrams are only missed when another follows: a few of many flows, over all queues and workers
last_words() {
	local host other port
	for host in A B; do
		other=$([ $host = A ] && echo 2 || echo 1)
		for ((port = 9001; port <= 9064; port++)); do
			on $host bash -c "echo >/dev/udp/10.99.0.$other/$port" 2>/dev/null
		done
	done
}

totals() {
	status A && status B && jq -s '[.[].peers[0] | .tx_packets, .rx_packets]' -c "$WORK/status-A" "$WORK/status-B"
}
# nothing was on its way between two looks
quiet() {
	local before
	before=$(totals)
	sleep 0.5
	[ "$before" = "$(totals)" ]
}

hosts_up $UNDERLAY_MTU "$([ "${UOFF:-0}" = 1 ] && echo off || echo on)" && system_weft && wait_until 15 reached || exit 1
for port in 5201 5202; do
	helper B iperf3 -s -p $port
	wait_until 5 listening $port || exit 1
done

iperf tcp 5201 -P 4
tcp=$!
iperf udp 5202 -u -b 200M -l 1200
began=$(date +%s)
: >"$WORK/rss"
while running $tcp; do
	echo "$(($(date +%s) - began)) $(rss_kib 0) $(rss_kib 1)" >>"$WORK/rss"
	sleep $((DURATION / 60 > 1 ? DURATION / 60 : 1))
done
wait_until 20 gone "${HELPERS[-1]}"
last_words
sleep 2
wait_until 30 quiet || echo "the agents do not come to rest" >&2

# ---- what came of it -------------------------------------------------------------------------------------------

jq -r '.end | "TCP: \(.sum_received.bytes / 1e9 * 100 | floor / 100) GB there, \(.sum_received_bidir_reverse.bytes / 1e9 * 100
	| floor / 100) GB back, at \(.sum_received.bits_per_second / 1e9 * 100 | floor / 100) and \(
	.sum_received_bidir_reverse.bits_per_second / 1e9 * 100 | floor / 100) Gb/s"' "$WORK/tcp.json"
jq -r '.end | "UDP: \(.sum.packets) datagrams there and back, \(.sum.lost_packets) and \(.sum_bidir_reverse.lost_packets) lost"' "$WORK/udp.json"

for way in A:B B:A; do
	from=${way%:*} to=${way#*:}
	echo "---- $from to $to"
	check "$from: frames out of the TAP, and read" "$(device "$from" '.[0].stats64.tx.packets')" \
		$(($(of "$from" '.ports[0].rx_frames') + $(drops "$from" tap-short tap-truncated tap-header)))
	check "$from: frames that the TAP's queue had no room for, and missed_frames" "$(device "$from" '.[0].stats64.tx.dropped')" \
		"$(of "$from" '.ports[0].missed_frames')"
	check "datagrams sent by $from, and received or lost by $to" "$(of "$from" '.peers[0].tx_packets')" \
		$(($(of "$to" '.peers[0].rx_packets') + $(of "$to" '.peers[0].lost_packets')))
	refused=$(drops "$from" udp-full udp-error udp-too-big)
	missed=$(overflowed "$to")
	check "datagrams lost by $to, and refused by $from's kernel ($refused) or dropped by $to's ($missed)" \
		"$(of "$to" '.peers[0].lost_packets')" $((refused + missed))
	check "$to: frames that the TAP took, and written" "$(device "$to" '.[0].stats64.rx.packets')" "$(of "$to" '.ports[0].tx_frames')"
	echo "      $from's drops: $(of "$from" '.drops | tojson')"
done

echo "---- memory"
awk '{a[NR] = $2; b[NR] = $3} END {for (i = 1; i <= NR; i += NR > 10 ? int(NR / 10) : 1) printf "      %s KiB, %s KiB\n", a[i], b[i]}' "$WORK/rss"
for agent in 1 2; do
	growth=$(awk -v c=$((agent + 1)) '{v[NR] = $c} END {print v[NR] - v[int(NR / 10) + 1]}' "$WORK/rss")
	if [ "$growth" -le $GROWTH_KIB ]; then
		echo "PASS  agent $agent grew by $growth KiB after the first tenth"
	else
		echo "FAIL  agent $agent grew by $growth KiB after the first tenth, over $GROWTH_KIB"
		failures=$((failures + 1))
	fi
done
[ $failures -eq 0 ] && echo "PASS: $DURATION s at full load" || echo "FAIL: $failures of the above"
exit $((failures > 0))
