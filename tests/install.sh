#!/bin/bash
# `make install` into a folder: everything that a user's machine needs is there, runs, and goes away with `make uninstall`.
set -u
cd "$(dirname "$0")/.." || exit 1
where=$(mktemp -d)
trap 'rm -rf "$where"' EXIT
bad=0
fail() { echo "$*" && bad=1; }

make -s install DESTDIR="$where" PREFIX=/usr >/dev/null || exit 1
for program in /usr/sbin/weftd /usr/sbin/weft-controller /usr/bin/weft /usr/bin/weft-measure; do
	"$where$program" --help >/dev/null 2>"$where/said" || fail "$program --help: $(cat "$where/said")"
done
for page in man8/weftd.8 man8/weft-controller.8 man1/weft.1 man1/weft-measure.1 man5/weft-lab.5 man7/weft-drops.7; do
	[ -s "$where/usr/share/man/$page" ] || fail "no $page"
done
jq -e .properties.ports "$where/usr/share/weft/weft-lab.schema.json" >/dev/null || fail "no JSON Schema of the lab file"
for unit in weftd weft-controller; do
	grep -q "^ExecStart=/usr/sbin/$unit" "$where/etc/systemd/system/$unit.service" || fail "$unit.service starts something else"
done
bash -n "$where/usr/share/bash-completion/completions/weft" || fail "the completion is no bash"
make -s uninstall DESTDIR="$where" PREFIX=/usr
left=$(find "$where" -type f ! -name said)
[ -z "$left" ] || fail "uninstall leaves $left"
exit $bad
