#!/bin/bash
# run.sh BUILD SECONDS - replays each fuzzer's corpus, then lets it search for SECONDS (0: replay only)
#
# Prints one "ok"/"not ok" line for each tests/fuzz/*/fuzz_*.c.  A fuzzer that is not built or that has no corpus is not ok.
# What it finds on the way stays in BUILD/fuzz/: new inputs in found-NAME/, an input that crashed in crash-NAME-*.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:?usage: run.sh BUILD SECONDS}
seconds=${2:?usage: run.sh BUILD SECONDS}

# fuzz SOURCE: one fuzzer; prints its verdict, without a number
fuzz() {
	local name binary corpus found seeds options
	name=$(basename "$1" .c)
	binary=$build/${1%.c}
	corpus=tests/fuzz/corpus/$name
	found=$build/fuzz/found-$name
	seeds=("$corpus"/*)
	options=(-artifact_prefix="$build/fuzz/crash-$name-" -timeout=10 -rss_limit_mb=1024 -verbosity=0)
	mkdir -p "$found"
	if [ ! -x "$binary" ]; then
		echo "not ok - $name: $binary is not built; list it in the Makefile"
	elif [ ${#seeds[@]} -eq 0 ]; then
		echo "not ok - $name: no corpus in $corpus"
	elif ! "$binary" "${options[@]}" -runs=0 "$corpus"; then
		echo "not ok - $name: its corpus"
	elif [ "$seconds" -gt 0 ] &&
		! "$binary" "${options[@]}" -max_total_time="$seconds" -print_final_stats=1 "$found" "$corpus"; then
		echo "not ok - $name: what it found in $seconds s"
	else
		echo "ok - $name: ${#seeds[@]} seeds, $seconds s of search"
	fi
}

mkdir -p "$build/fuzz"
shopt -s nullglob
mapfile -t sources < <(find tests/fuzz -name "fuzz_*.c" | sort)
for source in "${sources[@]}"; do
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do wait -n; done
	fuzz "$source" >"$build/fuzz/$(basename "$source" .c).log" 2>&1 &
done
wait

bad=0
for source in "${sources[@]}"; do
	log=$build/fuzz/$(basename "$source" .c).log
	cat "$log"
	grep -q '^ok -' "$log" || bad=$((bad + 1))
done
echo "1..${#sources[@]}"
[ $bad -eq 0 ] && [ ${#sources[@]} -gt 0 ]
