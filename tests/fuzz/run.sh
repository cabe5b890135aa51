#!/bin/bash
# run.sh BUILD SECONDS - replays each fuzzer's corpus, then lets it search for SECONDS (0: replay only)
#
# Prints one "ok"/"not ok" line for each tests/fuzz/*/fuzz_*.c.  A fuzzer that is not built or that has no corpus is not ok.
# What it finds on the way stays in BUILD/fuzz/: new inputs in found-NAME/, an input that crashed in crash-NAME-*.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: run.sh BUILD SECONDS}
seconds=${2:?usage: run.sh BUILD SECONDS}

total=0
bad=0
verdict() {
	total=$((total + 1))
	echo "$1 $total - $2"
	[ "$1" = ok ] || bad=$((bad + 1))
}

mkdir -p "$build/fuzz"
shopt -s nullglob
for source in tests/fuzz/*/fuzz_*.c; do
	name=$(basename "$source" .c)
	binary=$build/${source%.c}
	corpus=tests/fuzz/corpus/$name
	found=$build/fuzz/found-$name
	seeds=("$corpus"/*)
	if [ ! -x "$binary" ]; then
		verdict "not ok" "$name: $binary is not built; list it in the Makefile"
		continue
	fi
	if [ ${#seeds[@]} -eq 0 ]; then
		verdict "not ok" "$name: no corpus in $corpus"
		continue
	fi
	mkdir -p "$found"
	options=(-artifact_prefix="$build/fuzz/crash-$name-" -timeout=10 -rss_limit_mb=1024 -verbosity=0)
	if ! "$binary" "${options[@]}" -runs=0 "$corpus"; then
		verdict "not ok" "$name: its corpus"
	elif [ "$seconds" -gt 0 ] &&
		! "$binary" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 "$found" "$corpus"; then
		verdict "not ok" "$name: what it found in $seconds s"
	else
		verdict ok "$name: ${#seeds[@]} seeds, $seconds s of search"
	fi
done
echo "1..$total"
[ $bad -eq 0 ] && [ $total -gt 0 ]
