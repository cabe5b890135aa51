#!/bin/bash
# A kernel or a device that takes no trains of datagrams: noticed at the first train, nothing lost, said in the status;
# the other host goes on as before.
#
#   h1 (h1a) -- up0 ---- net ---- up0 -- h2 (h2a)
#
# Newer kernels cut trains for any device by themselves, so what older ones do is played by no-trains.c in h1's weftd.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

FLOWS=$ROOT/tests/e2e/flows.py

says() { agent_status "$1" | jq -e ".datapath | $2"; } # HOST EXPRESSION

restart_h1() { # NO_TRAINS
	stop h1
	spawn h1 h1 env "LD_PRELOAD=$WORK/no-trains.so" ASAN_OPTIONS=verify_asan_link_order=0 NO_TRAINS="$1" \
		"$BUILD/weftd" --state "$WORK/h1"
	must wait_until 10 ping_once h1a 10.0.0.21
}

# carries TEXT FROM TO ADDRESS: TCP
carries() {
	local sent
	rm -f "$WORK/serve"
	ip netns exec "$PREFIX-$3" "$FLOWS" serve >"$WORK/serve" 2>>"$LOGS/serve.log" </dev/null &
	PIDS[serve]=$!
	must wait_until 10 test -s "$WORK/serve"
	sent=$(on "$2" "$FLOWS" send "$4" --mib 16)
	ended serve
	equal "$1: 16 MiB as they were sent, in $(jq .seconds <<<"$sent") s" "$(jq .sha256 <<<"$sent")" \
		"$(tail -n 1 "$WORK/serve" | jq .sha256)"
}

# collect VM; collected: REPORT
collect() {
	rm -f "$WORK/collect"
	ip netns exec "$PREFIX-$1" "$FLOWS" collect >"$WORK/collect" 2>>"$LOGS/collect.log" </dev/null &
	PIDS[collect]=$!
	must wait_until 10 test -s "$WORK/collect"
}
collected() {
	stop collect
	REPORT=$(tail -n 1 "$WORK/collect")
}

# in_order TEXT COMMAND...: datagrams in trains of the guest's from h1a to h2a, COMMAND amid them
in_order() {
	local text=$1
	shift
	collect h2a
	spawn scatter h1a "$FLOWS" scatter 10.0.0.21 --segments 16 --count 20000 --rate 8000
	flowing h2a 50
	"$@"
	ended scatter
	must wait_until 5 ping_once h1a 10.0.0.21
	collected
	equal "$text: 20000 of 20000 datagrams, in order" "20000 0 0" \
		"$(jq -r '"\(.received) \(.reordered) \(.corrupt)"' <<<"$REPORT")"
}

all_flows() { # TEXT
	carries "$1" h1a h2a 10.0.0.21
	carries "$1, by IPv6" h1a h2a fd00::21
	carries "$1, the other way" h2a h1a 10.0.0.11
}

offloads_gone() { must on "$1" ethtool -K up0 tx off tso off gso off gro off sg off tx-udp-segmentation off; }

must gcc -shared -fPIC -D_GNU_SOURCE "$ROOT/tests/e2e/no-trains.c" -o "$WORK/no-trains.so" -ldl
fabric_up 2
for host in h1 h2; do check "$host sends and takes trains" says $host '.udp_gso and .udp_gro'; done
carries "with trains" h1a h2a 10.0.0.21
in_order "the device loses its offloads in mid-flow" offloads_gone h1
say "h1's kernel now: $(says h1 '{udp_gso, udp_gro}' | jq -c)"
all_flows "a device without offloads"
for host in h1 h2; do equal "$host: no datagram refused by the kernel" 0 "$(drops $host udp-error udp-too-big udp-full)"; done

restart_h1 device
in_order "the kernel takes no train for this device" true
check "h1 says that it sends one by one" says h1 '.udp_gso == false and .udp_gro'
check "h2 still sends trains" says h2 '.udp_gso'
all_flows "one by one"

restart_h1 kernel
check "a kernel that knows no trains: h1 says so" says h1 '.udp_gso == false and .udp_gro == false'
in_order "a kernel that knows no trains" true
all_flows "a kernel that knows no trains"
offloads_gone h2
all_flows "and a device without offloads on the other side"
equal "h1: no datagram refused by the kernel" 0 "$(drops h1 udp-error udp-too-big udp-full)"
finish
