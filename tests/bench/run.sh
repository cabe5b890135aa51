#!/bin/bash
# make bench: weft, kernel VXLAN, the bare underlay and every peer that Debian packages, turn about, on two hosts in network
# namespaces; writes build/bench/results.json, results.md and plots.  See README.md here.
#
#   tests/bench/run.sh          the systems at the base scenario, and what the table of targets needs beside it
#   FULL=1                      every system in every scenario
#   ROUNDS=5 T=3                rounds, and seconds of a TCP run
#   SYSTEMS="weft vxlan" SCENARIOS="base loss1" FIGURES="tcp1 rtt"   only these
#   MICRO=0                     without the micro-benchmarks
#   WEFT_OLD_BUILD=DIR          another build of weft, the system weft_old, has its turn wherever weft has
set -u
cd "$(dirname "$0")/../.." || exit 1

BUILD=${BUILD:-build}
ROUNDS=${ROUNDS:-5}
T=${T:-3}
TRIAL_MS=${TRIAL_MS:-$((T >= 3 ? 300 : T * 100))}
OUT=${OUT:-$BUILD/bench}
SAMPLES=$OUT/samples.jsonl

# shellcheck source-path=SCRIPTDIR
. tests/bench/lib.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/systems.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/measure.sh

clean_up() {
	trap '' INT TERM HUP
	hosts_down
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- what is measured ----------------------------------------------------------------------------------------

ALL="tcp1 tcp4 reverse rtt rtt_load udp64 imix udp1400 memory"

# name, underlay's MTU, its offloads, loss in percent
SCENARIO_TABLE="
base        1500 on  0
plain       1500 off 0
loss01      1500 off 0.1
loss1       1500 off 1
jumbo       9000 on  0
jumbo_plain 9000 off 0
"

# scenario, figures, systems
PLAN="
base   tcp1,tcp4,reverse,rtt,rtt_load,udp64,imix,udp1400,memory veth vxlan weft weft_openssl $PEERS
base   tcp1 weft_fit
plain  tcp1,udp64,rtt veth vxlan weft weft_openssl fastd_aes
loss01 tcp1 veth vxlan weft fastd_aes
loss1  tcp1 veth vxlan weft fastd_aes
jumbo  tcp1,udp64 veth vxlan weft fastd_aes
"
everything() {
	local name
	while read -r name _; do
		[ -n "$name" ] || continue
		echo "$name ${ALL// /,} veth vxlan weft weft_openssl $PEERS"
		echo "$name tcp1 weft_fit"
	done <<<"$SCENARIO_TABLE"
}
[ -z "${FULL:-}" ] || PLAN=$(everything)
[ -z "${WEFT_OLD_BUILD:-}" ] || PLAN=$(sed 's/ weft\>\([^_]\|$\)/ weft weft_old\1/' <<<"$PLAN")

# listed WORD LIST: or LIST is empty
listed() { [ -z "$2" ] || [[ " $2 " == *" $1 "* ]]; }

# chosen FIGURE,FIGURE...: those of them that are to be measured
chosen() {
	local figure out=
	for figure in ${1//,/ }; do
		listed "$figure" "${FIGURES:-}" && out+=,$figure
	done
	echo "${out#,}"
}

# One line of work for each scenario and system: SCENARIO MTU OFFLOADS LOSS SYSTEM FIGURES
steps() {
	local scenario figures systems system
	while read -r scenario figures systems; do
		[ -n "$scenario" ] && listed "$scenario" "${SCENARIOS:-}" || continue
		for system in $systems; do
			listed "$system" "${SYSTEMS:-}" || continue
			figures=$(chosen "$figures")
			[ -z "$figures" ] || echo "$(awk -v name="$scenario" '$1 == name' <<<"$SCENARIO_TABLE") $system $figures"
		done
	done <<<"$PLAN"
}

# ---- measuring -----------------------------------------------------------------------------------------------

# Sets up what is measured and warms it up: paths are probed, addresses learnt.  Return: false where nothing passes, which
# is worth a second try: fastd's two ends now and then miss each other's first handshake
bring_up() { # OFFLOADS LOSS
	hosts_up "$UNDERLAY_MTU" "$1" && "system_$SYSTEM" && wait_until 15 reached && server_up || return 1
	tcp warm 1
	loss "$2"
}

step() { # SCENARIO MTU OFFLOADS LOSS SYSTEM FIGURES
	local figure started
	SCENARIO=$1
	UNDERLAY_MTU=$2
	SYSTEM=$5
	LINE=
	started=$(now_ms)
	measure_noise
	if bring_up "$3" "$4" || bring_up "$3" "$4"; then
		for figure in ${6//,/ }; do "measure_$figure"; done
		[[ $SYSTEM == weft* ]] && note_backend
	else
		echo "  $SYSTEM does not come up in $SCENARIO:" >&2
		tail -n 3 "$WORK"/log-[AB] | sed 's/^/    /' >&2
		record failed 1
	fi
	hosts_down
	printf '%-11s %-16s %4d s %s\n' "$SCENARIO" "$SYSTEM" $((($(now_ms) - started) / 1000)) "$LINE"
}

# Every second round backwards, so that no system always follows the same one
in_order() { if [ $(($1 % 2)) -eq 1 ]; then cat; else tac; fi; }

write_machine() {
	jq -n --arg cpu "$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)" --arg cores "$(nproc)" \
		--arg memory "$(awk '/^MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)" --arg kernel "$(uname -r)" \
		--arg date "$(date -u +%Y-%m-%d)" --arg openssl "$(openssl version | cut -d ' ' -f 1,2)" \
		--arg commit "$(git rev-parse --short HEAD 2>/dev/null)" --arg rounds "$ROUNDS" --arg seconds "$T" \
		--arg congestion_control "$(sysctl -n net.ipv4.tcp_congestion_control)" \
		--arg os "$(sed -n 's/^PRETTY_NAME="\(.*\)"/\1/p' /etc/os-release)" \
		--arg ipsec_mb "$(dpkg-query -W -f '${Version}' libipsec-mb1 2>/dev/null)" \
		'{cpu: $cpu, cores: ($cores | tonumber), memory_gib: ($memory | tonumber), os: $os, kernel: $kernel, date: $date,
		openssl: $openssl, ipsec_mb: $ipsec_mb, congestion_control: $congestion_control, commit: $commit, rounds: ($rounds | tonumber),
		seconds: ($seconds | tonumber)}' >"$OUT/machine.json"
}

write_scenarios() {
	awk 'NF {printf "{\"scenario\": \"%s\", \"mtu\": %d, \"offloads\": \"%s\", \"loss\": %s}\n", $1, $2, $3, $4}' \
		<<<"$SCENARIO_TABLE" >"$SAMPLES"
}

micro() {
	local name
	for name in fdb aead encap worker; do
		echo "micro-benchmark: $name"
		"$BUILD/tests/bench/micro_$name" --json "$OUT/micro_$name.json" || return 1
	done
}

[ "$(id -u)" -eq 0 ] || { echo "make bench needs root, for network namespaces" >&2 && exit 1; }
mkdir -p "$OUT"
rm -f "$OUT"/micro_*.json
write_scenarios
write_machine
[ "${MICRO:-1}" = 0 ] || micro || exit 1

plan=$(steps)
[ -n "$plan" ] || { echo "nothing to measure: SCENARIOS or SYSTEMS name none" >&2 && exit 2; }
absent=" "
for system in $(awk '{print $5}' <<<"$plan" | sort -u); do
	command -v "$(needs "$system")" >/dev/null && continue
	echo "$system: $(needs "$system") is not installed; left out" >&2
	absent+="$system "
done
for ((ROUND = 1; ROUND <= ROUNDS; ROUND++)); do
	echo "round $ROUND of $ROUNDS, $(wc -l <<<"$plan") steps"
	while read -r -u 3 scenario mtu offloads percent system figures; do
		[[ $absent == *" $system "* ]] || step "$scenario" "$mtu" "$offloads" "$percent" "$system" "$figures"
	done 3< <(in_order "$ROUND" <<<"$plan")
done
tests/bench/report.py "$OUT"
