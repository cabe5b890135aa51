#!/bin/bash
# Takes what `make bench` wrote last over into docs/bench/, which the README shows: results.md, results.json and the plots.
# Look at the targets first; commit afterwards.
set -eu
cd "$(dirname "$0")/../.."
from=${BUILD:-build}/bench
to=docs/bench

[ -s "$from/results.json" ] || { echo "$from/results.json is missing: run make bench" >&2 && exit 1; }
rounds=$(jq .machine.rounds "$from/results.json")
[ "$rounds" -ge 5 ] || { echo "that run had $rounds rounds; what is published has at least 5" >&2 && exit 1; }
mkdir -p $to
rm -f $to/*.svg
cp "$from/results.md" "$from/results.json" "$from"/*.svg $to/
echo "in $to/:"
ls $to
