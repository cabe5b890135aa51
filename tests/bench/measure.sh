# shellcheck shell=bash
# measure.sh - the figures: each function drives the system that is up now and records what it saw
#
# Source it after lib.sh.  A figure is one line of JSON in $SAMPLES, under $SCENARIO, $SYSTEM and $ROUND; one that could
# not be had is recorded as null, so that the table shows a gap and not nothing.  $T: seconds of a TCP run; $TRIAL_MS:
# milliseconds of one trial in weft-load's search of a rate.

LOAD=$BUILD/tests/bench/weft-load

# record FIGURE VALUE
record() {
	local value=${2:-null}
	[[ $value =~ ^[0-9.]+([eE][-+]?[0-9]+)?$ ]] || value=null
	printf '{"scenario": "%s", "system": "%s", "round": %d, "figure": "%s", "value": %s}\n' \
		"$SCENARIO" "$SYSTEM" "$ROUND" "$1" "$value" >>"$SAMPLES"
	LINE+=" $1=$value"
}

# field FILE EXPRESSION: one number out of JSON, or nothing
field() { jq -r "$2 // empty" "$1" 2>/dev/null; }
quotient() { awk -v a="${1:-}" -v b="${2:-}" 'BEGIN {if (a != "" && b > 0) printf "%.4g", a / b}'; }

# Clock ticks (1/100 s): of the whole machine but idle and waiting; of the system's own processes
machine_ticks() { awk '/^cpu / {print $2 + $3 + $4 + $7 + $8}' /proc/stat; }
daemon_ticks() {
	local pid
	for pid in "${DAEMONS[@]}"; do cat "/proc/$pid/stat"; done 2>/dev/null | awk '{n += $14 + $15} END {print n + 0}'
}

# How busy the machine is, in percent of all cores, while nothing of ours runs: what else would blur the figures
measure_noise() {
	local before
	before=$(machine_ticks)
	sleep 0.5
	record noise "$(awk -v ticks=$(($(machine_ticks) - before)) -v cores="$(nproc)" 'BEGIN {print 2 * ticks / cores}')"
}

server_up() {
	helper B iperf3 -s -p 5201
	wait_until 5 listening
}
listening() { on B ss -Hltn 'sport = :5201' | grep -q .; }

# tcp NAME SECONDS [IPERF3 ARGUMENTS...]: its JSON in $WORK/NAME.json
tcp() {
	local name=$1 seconds=$2
	shift 2
	attend ip netns exec "$PREFIX-A" timeout -k 2 $((seconds + 10)) iperf3 -c 10.99.0.2 -p 5201 -J -t "$seconds" "$@" \
		>"$WORK/$name.json" 2>/dev/null
}
gigabits() { quotient "$(field "$WORK/$1.json" .end.sum_received.bits_per_second)" 1e9; }

# One flow, and what the machine spent on it
measure_tcp1() {
	local machine daemons gigabytes
	machine=$(machine_ticks)
	daemons=$(daemon_ticks)
	tcp tcp1 "$T"
	machine=$(($(machine_ticks) - machine))
	daemons=$(($(daemon_ticks) - daemons))
	gigabytes=$(quotient "$(field "$WORK/tcp1.json" .end.sum_received.bytes)" 1e9)
	record tcp1 "$(gigabits tcp1)"
	record cpu_machine "$(quotient "$machine" "$(quotient "$gigabytes" 0.01)")"
	record cpu_daemons "$(quotient "$daemons" "$(quotient "$gigabytes" 0.01)")"
}
measure_tcp4() {
	tcp tcp4 "$T" -P 4
	record tcp4 "$(gigabits tcp4)"
}
measure_reverse() {
	tcp reverse "$T" -R
	record reverse "$(gigabits reverse)"
}

# load ARGUMENTS...: weft-load from host A to host B; its JSON in $WORK/load.json
load() {
	attend timeout -k 2 60 "$LOAD" "$@" --from "$PREFIX-A" --to "$PREFIX-B" --address 10.99.0.2 >"$WORK/load.json" \
		2>>"$WORK/log-A"
}
rate() { # FIGURE SIZE
	load rate --size "$2" --trial-ms "$TRIAL_MS"
	record "$1" "$(field "$WORK/load.json" .pps)"
	record "$1_flooded" "$(field "$WORK/load.json" .flooded_pps)"
}
measure_udp64() { rate udp64 64; }
measure_imix() { rate imix imix; }
measure_udp1400() { rate udp1400 1372; }

measure_rtt() {
	load rtt --trial-ms 2000
	record rtt_p50 "$(field "$WORK/load.json" .p50_us)"
	record rtt_p99 "$(field "$WORK/load.json" .p99_us)"
}

# While one TCP flow takes all that it gets
measure_rtt_load() {
	helper A iperf3 -c 10.99.0.2 -p 5201 -t 3
	sleep 0.7
	load rtt --trial-ms 2000
	wait "$STARTED"
	record rtt_load_p50 "$(field "$WORK/load.json" .p50_us)"
	record rtt_load_p99 "$(field "$WORK/load.json" .p99_us)"
}

# Resident, of the system's processes on one host, when all else has been measured
measure_memory() {
	local pid total=0 own
	[ ${#DAEMONS[@]} -gt 0 ] || return
	for pid in "${DAEMONS[@]}"; do
		own=$(awk '/^VmRSS/ {print $2}' "/proc/$pid/status" 2>/dev/null)
		total=$((total + ${own:-0}))
	done
	record memory "$(quotient $total 2048)"
}

# Which AEAD a weftd picked goes into the table
note_backend() {
	local text
	text=$("$WEFT/weft" status --json --state "$WORK/agent-A" 2>/dev/null | jq -r '.datapath.aead_backend // empty')
	[ -z "$text" ] || printf '{"system": "%s", "note": %s}\n' "$SYSTEM" "$(jq -Rn --arg t "$text" '$t')" >>"$SAMPLES"
}
