#!/bin/bash
# Is this weft worse than an older one?  tests/bench/compare.sh COMMIT, as root
#
# Builds COMMIT in build/old, then measures and counts both, turn about; the tables are in build/compare/ and at the end of
# what is printed.  PARTS="figures instructions calls" (all three) chooses:
#
#   figures       make bench's, of weft and of weft_old: ROUNDS=10 T=3 SCENARIOS="base plain"
#   instructions  of the micro-benchmarks, by callgrind; the old sources are driven by this tree's micro.c: MICROS="fdb worker"
#   calls         system calls and context switches of both weftd for each frame, at a fixed load: COUNT_ROUNDS=5
#
# The verdicts are compare.py's.
set -u
cd "$(dirname "$0")/../.." || exit 1

BUILD=${BUILD:-build}
PARTS=${PARTS-figures instructions calls}
COUNT_ROUNDS=${COUNT_ROUNDS:-5}
COUNT_MS=3000
MICROS=${MICROS:-fdb aead encap worker}
OUT=$BUILD/compare
SOURCE=$BUILD/old
UNDERLAY_MTU=1500
export OUT

[ $# -eq 1 ] || { sed -n 's/^# \(Is this.*\)/\1/p' "$0" >&2 && exit 2; }
[ "$(id -u)" -eq 0 ] || { echo "compare.sh needs root, for network namespaces" >&2 && exit 1; }
for tool in valgrind perf; do
	command -v $tool >/dev/null || { echo "$tool is missing: apt-get install valgrind linux-perf" >&2 && exit 1; }
done

# The commit's files, once for each commit; micro.[ch] are this tree's, so that both count in the same way
commit=$(git rev-parse --verify --quiet "$1^{commit}") || { echo "$1: no such commit" >&2 && exit 2; }
if [ "$(cat "$SOURCE/commit" 2>/dev/null)" != "$commit" ]; then
	rm -rf "$SOURCE"
	mkdir -p "$SOURCE" && git archive "$commit" | tar -x -C "$SOURCE" && echo "$commit" >"$SOURCE/commit" || exit 1
fi
cp -p tests/bench/micro.[ch] "$SOURCE/tests/bench/"
make -C "$SOURCE" -j"$(nproc)" all bench-tools >"$SOURCE/log" 2>&1 || { tail -n 20 "$SOURCE/log" >&2 && exit 1; }
make -j"$(nproc)" all bench-tools >"$SOURCE/log" 2>&1 || { tail -n 20 "$SOURCE/log" >&2 && exit 1; }
export WEFT_OLD_BUILD=$SOURCE/build

# shellcheck source-path=SCRIPTDIR
. tests/bench/lib.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/systems.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/measure.sh
trap 'trap "" INT TERM HUP; hosts_down; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

build_of() { if [ "$1" = weft ]; then echo "$BUILD"; else echo "$WEFT_OLD_BUILD"; fi; }

count_instructions() {
	local system name
	for system in weft weft_old; do
		for name in $MICROS; do
			echo "instructions: $system, micro_$name"
			attend valgrind -q --tool=callgrind --separate-threads=yes --callgrind-out-file="$OUT/callgrind/$system.$name" \
				"$(build_of $system)/tests/bench/micro_$name" >"$WORK/log-$name" ||
				{ echo "$system, micro_$name: left out, since it failed" >&2 && tail -n 2 "$WORK/log-$name" >&2; }
		done
	done
}

# Frames that the guest's side of host A has put into weft
frames_sent() { net A -j -s link show ov | jq '.[0].stats64.tx.packets'; }

# count LOAD COMMAND...: system calls and context switches of both weftd while the command runs, a line of JSON
count() {
	local load=$1 frames perf
	shift
	frames=$(frames_sent)
	perf stat -x, -o "$WORK/perf" -e raw_syscalls:sys_enter,context-switches -p "$(IFS=,; echo "${DAEMONS[*]}")" &
	perf=$!
	HELPERS+=("$perf")
	"$@"
	kill -INT $perf
	wait $perf
	frames=$(($(frames_sent) - frames))
	awk -F, -v of="$SYSTEM" -v load="$load" -v frames=$frames '/sys_enter/ {calls = $1} /context-switches/ {switches = $1}
		END {printf "{\"system\": \"%s\", \"load\": \"%s\", \"frames\": %d, \"calls\": %d, \"switches\": %d}\n",
			of, load, frames, calls, switches}' "$WORK/perf" >>"$OUT/calls.jsonl"
}

count_calls() { # SYSTEM: each load once
	local pps
	SYSTEM=$1
	hosts_up $UNDERLAY_MTU on && "system_$SYSTEM" && wait_until 15 reached && server_up || return 1
	tcp warm 1
	for pps in 1000 20000; do
		count "UDP 64 B, $pps a second" load rate --size 64 --pps $pps --trial-ms $COUNT_MS
	done
	count "TCP, one flow" tcp counted $((COUNT_MS / 1000))
	hosts_down
}

rm -rf "$OUT"
mkdir -p "$OUT/callgrind"
echo "old: $commit" >"$OUT/what"
for part in $PARTS; do
	case $part in
	figures)
		ROUNDS=${ROUNDS:-10} SCENARIOS=${SCENARIOS:-base plain} SYSTEMS="weft weft_old" MICRO=0 attend tests/bench/run.sh || exit 1
		;;
	instructions) count_instructions || exit 1 ;;
	calls)
		for ((round = 1; round <= COUNT_ROUNDS; round++)); do
			echo "system calls: round $round of $COUNT_ROUNDS"
			systems="weft weft_old"
			[ $((round % 2)) -eq 1 ] || systems="weft_old weft"
			for system in $systems; do
				count_calls "$system" || { echo "$system does not come up" >&2 && tail -n 3 "$WORK"/log-[AB] >&2 && exit 1; }
			done
		done
		;;
	*) echo "PARTS: no $part" >&2 && exit 2 ;;
	esac
done
tests/bench/compare.py "$OUT"
