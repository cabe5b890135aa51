#!/bin/bash
# idle.sh [AGENTS=101] [SECONDS=120] - what agents cost that have nothing to do
#
#   one network namespace: weft-controller on 127.0.0.1:4753, agents 1..N on 127.0.0.1, UDP ports 20001.., each with a
#   TAP in one network, so that each has N - 1 peers
#
# Once all sessions are up and an interval of keepalives has passed, the processes' time on a core is read twice, SECONDS
# apart, from the scheduler (nanoseconds: ticks would be too coarse); 120 s, so that each session is rekeyed once.  PASS
# where the median agent uses under 0.1% of a core.  PERF=1 says, with perf, where the time of ten agents goes.
set -u
cd "$(dirname "$0")/../.." || exit 1

BUILD=${BUILD:-build}
AGENTS=${1:-101}
SECONDS_MEASURED=${2:-120}
SETTLE_S=20
LIMIT_PERCENT=0.1
SPACE=idle$$
WORK=$(mktemp -d "/tmp/$SPACE.XXXXXX")
PIDS=()
CONTROLLER=

on() { ip netns exec "$SPACE" "$@"; }
weft() { on "$BUILD/weft" "$@"; }
fail() {
	echo "idle.sh: $*" >&2
	exit 1
}

clean_up() {
	trap '' INT TERM HUP
	{
		for pid in "${PIDS[@]}" $CONTROLLER; do kill "$pid"; done
		wait
	} 2>/dev/null
	ip netns del "$SPACE" 2>/dev/null
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# until_true SECONDS COMMAND...
until_true() {
	local end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt $end ] || return 1
		sleep 0.2
	done
}

start() { # LOG COMMAND...
	ip netns exec "$SPACE" "${@:2}" >"$WORK/$1.log" 2>&1 </dev/null &
}

all_up() { # AGENT: has sessions with all others
	weft status --json --state "$WORK/$1" | jq -e --argjson n $((AGENTS - 1)) '[.peers[] | select(.state == "up")] | length == $n'
}

# run_ns PID: time on a core so far, of all its threads
run_ns() { cat "/proc/$1/task/"*/schedstat 2>/dev/null | awk '{n += $1} END {print n + 0}'; }
rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/$1/status"; }

# of_all: quantiles of the numbers on standard input
of_all() { sort -g | awk '{v[NR] = $1} END {printf "median %.4g, least %.4g, most %.4g\n", v[int((NR + 1) / 2)], v[1], v[NR]}'; }
median() { sort -g | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

[ "$(id -u)" -eq 0 ] || fail "needs root, for a network namespace"
ip netns add "$SPACE" && ip -n "$SPACE" link set lo up || exit 1
# to the controller the agents come from several addresses: it takes 64 connections from one
on nft "table ip idle { chain out { type nat hook postrouting priority 100; tcp dport 4753 \
	snat to numgen inc mod 4 map { 0 : 127.0.1.1, 1 : 127.0.1.2, 2 : 127.0.1.3, 3 : 127.0.1.4 }; }; }" || exit 1
weft init --name idle --listen 127.0.0.1:4753 --state "$WORK/controller" >/dev/null || exit 1
start controller "$BUILD/weft-controller" --state "$WORK/controller"
CONTROLLER=$!
until_true 10 weft get hosts --state "$WORK/controller" || fail "the controller does not answer: $(tail -n 1 "$WORK/controller.log")"

echo "enrolling $AGENTS agents"
printf 'lab: idle\nnetworks:\n  lan: {}\nports:\n' >"$WORK/lab.yaml"
for ((i = 1; i <= AGENTS; i++)); do
	token=$(weft token "host-$i" --state "$WORK/controller") || exit 1
	weft join "$token" --state "$WORK/$i" --endpoint "127.0.0.1:$((20000 + i))" --port $((20000 + i)) >/dev/null || exit 1
	start "$i" "$BUILD/weftd" --state "$WORK/$i" --log-level warning
	PIDS+=($!)
	echo "  port-$i: { host: host-$i, network: lan, attach: \"tap:idle$i\" }" >>"$WORK/lab.yaml"
done
applied=$(date +%s)
weft apply "$WORK/lab.yaml" --wait --timeout 180s --state "$WORK/controller" >/dev/null 2>&1 || fail "the lab does not apply"

for ((i = 1; i <= AGENTS; i++)); do
	until_true 120 all_up "$i" || fail "agent $i has not all its sessions"
done
echo "$((AGENTS * (AGENTS - 1) / 2)) sessions up, $(($(date +%s) - applied)) s after the lab was made"
sleep $SETTLE_S

declare -A before
for pid in "${PIDS[@]}" "$CONTROLLER"; do before[$pid]=$(run_ns "$pid"); done
begun=${EPOCHREALTIME/./}
if [ "${PERF:-0}" = 1 ]; then
	perf record -q -g -p "$(IFS=,; echo "${PIDS[*]:0:10}")" -o "$WORK/perf.data" -- sleep "$SECONDS_MEASURED" >/dev/null 2>&1
else
	sleep "$SECONDS_MEASURED"
fi
# of a core, in percent: the interval of each is the same to some milliseconds
for pid in "${PIDS[@]}" "$CONTROLLER"; do
	awk -v a="${before[$pid]}" -v b="$(run_ns "$pid")" -v us="$((${EPOCHREALTIME/./} - begun))" 'BEGIN {print (b - a) / us / 10}'
done >"$WORK/shares"
head -n -1 "$WORK/shares" >"$WORK/agents"
for pid in "${PIDS[@]}"; do rss_kib "$pid"; done >"$WORK/rss"

echo "agents, percent of a core: $(of_all <"$WORK/agents")"
echo "agents, resident KiB:      $(of_all <"$WORK/rss")"
echo "controller:                $(tail -n 1 "$WORK/shares") percent of a core, $(rss_kib "$CONTROLLER") KiB resident"
[ "${PERF:-0}" = 1 ] && perf report -i "$WORK/perf.data" --no-children -g none --stdio 2>/dev/null | grep -v '^#\|^$' | head -n 30
share=$(median <"$WORK/agents")
if awk -v s="$share" -v l=$LIMIT_PERCENT 'BEGIN {exit !(s < l)}'; then
	echo "PASS: an idle agent with $((AGENTS - 1)) peers uses $share% of a core, under $LIMIT_PERCENT%"
else
	echo "FAIL: an idle agent with $((AGENTS - 1)) peers uses $share% of a core, $LIMIT_PERCENT% or more"
	exit 1
fi
