#!/bin/bash
# make check: everything that can be shown about this tree, in one run, closing with one line of counts.
#
#   includes and lint -> gcc build -> clang build under ASan and UBSan -> unit tests of both builds
#   -> threaded tests under TSan -> the fuzzers' corpora -> simulations -> the end-to-end tests, one after the other
#
# tests/check.sh [STEP...] runs only the steps named: see `steps` below; no argument means all.  A tool, a test binary or
# a corpus that is missing is a failure, never a skip.  Each step's output is kept in build/check/.  Every step runs in
# a process group of its own, so that an interrupt reaches the step and nothing else.
set -u
cd "$(dirname "$0")/.." || exit 1

LOGS=build/check
CLANG_BUILD=build/check/clang
TSAN_BUILD=build/check/tsan
FUZZ_SECONDS=${FUZZ_SECONDS:-2}
E2E_LIMIT_S=300
SIM_LIMIT_S=300

passed=0
failed=0
current=

# shellcheck source-path=SCRIPTDIR/..
. tests/e2e/list.sh # E2E_TESTS: the scripts in the order they run

interrupted() {
	[ -n "$current" ] && kill -TERM -- "-$current" 2>/dev/null && wait "$current" 2>/dev/null
	echo "interrupted: $passed passed, $failed failed so far"
	exit 130
}
trap interrupted INT TERM HUP

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# run LOG COMMAND...: in its own process group, output to LOG; returns its status
run() {
	local log=$1 status
	shift
	set -m
	"$@" >"$log" 2>&1 </dev/null &
	current=$!
	set +m
	wait "$current"
	status=$?
	current=
	return $status
}

# line VERDICT NAME MS [COUNTS]
line() { printf '%-6s %-44s %6d.%d s  %s\n' "$1" "$2" $(($3 / 1000)) $(($3 % 1000 / 100)) "${4:-}"; }

log_of() { echo "$LOGS/$(tr ' /' '--' <<<"$1").log"; }

# step NAME COMMAND...: one pass or one failure
step() {
	local name=$1 start log
	shift
	start=$(now_ms)
	log=$(log_of "$name")
	if run "$log" "$@"; then
		passed=$((passed + 1))
		line ok "$name" $(($(now_ms) - start))
	else
		failed=$((failed + 1))
		line FAILED "$name" $(($(now_ms) - start)) "$log"
		tail -n 25 "$log" | sed 's/^/       | /'
		return 1
	fi
}

# tap NAME COMMAND...: counts the lines "ok ..." and "not ok ..." that it prints, in the Test Anything Protocol
tap() {
	local name=$1 start status log
	shift
	start=$(now_ms)
	log=$(log_of "$name")
	run "$log" "$@"
	status=$?
	count_tap "$name" "$log" $status $(($(now_ms) - start))
}

# count_tap NAME LOG STATUS MS: what a test printed into LOG.  No plan (1..N), another number of results than planned, or a bad
# exit without a failed check is one failure more.
count_tap() {
	local name=$1 log=$2 status=$3 ms=$4 good bad plan
	good=$(grep -c '^ok\b' "$log")
	bad=$(grep -c '^not ok\b' "$log")
	plan=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
	if [ "$plan" -eq 0 ] || [ "$plan" -ne $((good + bad)) ] || { [ "$status" -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		echo "not ok - $name ended with status $status after $((good + bad)) of $plan checks" >>"$log"
		bad=$((bad + 1))
	fi
	passed=$((passed + good))
	failed=$((failed + bad))
	if [ "$bad" -eq 0 ]; then
		line ok "$name" "$ms" "$good"
	else
		line FAILED "$name" "$ms" "$bad of $((good + bad)), $log"
		grep '^not ok' "$log" | sed 's/^/       | /'
		grep -v '^\(not \)\?ok\b' "$log" | tail -n 12 | sed 's/^/       | /'
	fi
}

# ---- the steps -----------------------------------------------------------------------------------------------

do_source() {
	step "includes point down" tools/includes.sh
	# shellcheck disable=SC2046
	step "headers speak for their own files" tools/headers.py $(make -s print-ROOMS)
	step "every drop is counted" tools/drops.py
	step "lint" tools/lint.sh
}

do_build() {
	step "gcc build" make -j"$(nproc)" all unit-tests test-tools build/weft-sim
	step "clang build, ASan and UBSan" \
		make -j"$(nproc)" BUILD=$CLANG_BUILD CC=clang SAN=fuzzer-no-link,address,undefined all unit-tests test-tools fuzzers
	step "gcc build, TSan" make -j"$(nproc)" BUILD=$TSAN_BUILD SAN=thread tsan-tests
	step "install and its files" tests/install.sh
}

# units NAME BUILD SOURCE...: the test binaries of these sources, as many at once as there are processors
units() {
	local label=$1 build=$2 source name log status ms
	shift 2
	for source in "$@"; do
		name=${source#tests/unit/}
		echo "$build/tests/unit/${name%.c} $(log_of "$label ${name%.c}")"
	done >$LOGS/units
	run $LOGS/units.log xargs -a $LOGS/units -P "$(nproc)" -L 1 tests/unit.sh
	for source in "$@"; do
		name=${source#tests/unit/}
		log=$(log_of "$label ${name%.c}")
		read -r status ms <"$log.status" || status=missing
		count_tap "$label ${name%.c}" "$log" "$status" "$ms"
	done
}

# shellcheck disable=SC2046
do_unit() {
	units gcc build $(find tests/unit -name "test_*.c" | sort)
	units clang $CLANG_BUILD $(find tests/unit -name "test_*.c" | sort)
}

# shellcheck disable=SC2046
do_tsan() { units tsan $TSAN_BUILD $(make -s print-TSAN_TESTS); }

do_fuzz() { tap "fuzzers, ${FUZZ_SECONDS} s each" tests/fuzz/run.sh $CLANG_BUILD "$FUZZ_SECONDS"; }

do_sim() { tap "simulations of many agents" timeout -k 20 $SIM_LIMIT_S build/weft-sim --quick; }

do_e2e() {
	local script arguments
	while read -r script arguments; do
		# shellcheck disable=SC2086
		[ -n "$script" ] && tap "e2e $script${arguments:+ $arguments}" timeout -k 20 $E2E_LIMIT_S "tests/e2e/$script" $arguments
	done <<<"$E2E_TESTS"
}

steps="source build unit tsan fuzz sim e2e"
[ $# -gt 0 ] && steps=$*
mkdir -p $LOGS
start=$(now_ms)
for name in $steps; do
	declare -F "do_$name" >/dev/null || { echo "no such step: $name; there are: source build unit tsan fuzz sim e2e" >&2; exit 2; }
	"do_$name"
done
echo "in $((($(now_ms) - start) / 1000)) s; logs in $LOGS/"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
