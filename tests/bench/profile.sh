#!/bin/bash
# Where weftd's time goes: tests/bench/profile.sh tcp|udp64|imix|udp1400 [WEFTD ARGUMENTS...]
#
# Two hosts as in run.sh, one kind of traffic from A to B, and `perf record` on both weftd meanwhile.  Prints, as a table,
# the share of each weftd's processor time by what it was doing, then its hottest functions.  Wants Debian's linux-perf.
#   MTU=1500 OFFLOADS=on LOSS=0 T=4    the underlay, as in run.sh
set -u
cd "$(dirname "$0")/../.." || exit 1

BUILD=${BUILD:-build}
T=${T:-4}
UNDERLAY_MTU=${MTU:-1500}
# shellcheck source-path=SCRIPTDIR
. tests/bench/lib.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/systems.sh
# shellcheck source-path=SCRIPTDIR
. tests/bench/measure.sh
trap 'trap "" INT TERM HUP; hosts_down; rm -rf "$WORK"' EXIT
trap 'exit 130' INT TERM HUP

traffic=${1:-tcp}
shift
case $traffic in tcp | udp64 | imix | udp1400) ;; *) sed -n 's/^# \(Where.*\)/\1/p' "$0" >&2 && exit 2 ;; esac
command -v perf >/dev/null || { echo "perf is missing: apt-get install linux-perf" >&2 && exit 1; }

# share HOST: one column of the table, percent of its weftd's samples by what it called
share() {
	perf report -i "$WORK/perf-$1" --children -g none --sort dso,symbol --stdio 2>/dev/null | awk '
	function add(what, percent) { sum[what] += percent }
	/^#/ || NF < 5 { next }
	{ all = $1 + 0; self = $2 + 0; dso = $3; symbol = $5 }
	dso ~ /^libc\./ && symbol ~ /writev$/ { add("tap_write", all) }
	dso ~ /^libc\./ && symbol ~ /(readv|read)$/ { add("tap_read", all) }
	dso ~ /^libc\./ && symbol ~ /send(m?msg|to)$/ { add("udp_send", all) }
	dso ~ /^libc\./ && symbol ~ /recvm?msg$/ { add("udp_receive", all) }
	dso ~ /^libc\./ && symbol ~ /epoll_wait$/ { add("epoll", all) }
	dso ~ /IPSec_MB|libcrypto/ { add("aead", self) }
	dso ~ /^weftd$/ { add("own", self) }
	dso ~ /libevent|liburcu/ { add("loop", self) }
	END {
		n = split("aead own loop tap_read tap_write udp_send udp_receive epoll", order)
		for (i = 1; i <= n; i++) { printf "%.0f\n", sum[order[i]]; known += sum[order[i]] }
		printf "%.0f\n", known < 100 ? 100 - known : 0
	}'
}

hosts_up "$UNDERLAY_MTU" "${OFFLOADS:-on}" && weft_up "$UNDERLAY_MTU" "$@" && wait_until 15 reached && server_up ||
	{ cat "$WORK"/log-[AB] >&2 && exit 1; }
tcp warm 1
loss "${LOSS:-0}"
helper A perf record -q -F 1999 -g -o "$WORK/perf-A" -p "${DAEMONS[0]}" -- sleep "$T"
helper B perf record -q -F 1999 -g -o "$WORK/perf-B" -p "${DAEMONS[1]}" -- sleep "$T"
if [ "$traffic" = tcp ]; then
	tcp tcp1 $((T + 1))
	echo "TCP, one flow: $(gigabits tcp1) Gb/s"
else
	size=${traffic#udp}
	[ "$size" = 1400 ] && size=1372
	load rate --size "$size" --pps "${PPS:-200000}" --trial-ms $((T * 1000))
	echo "UDP $size: $(jq -c . "$WORK/load.json")"
fi
wait "${HELPERS[@]: -2}"
echo
echo "| percent of weftd's time in | host A, sends | host B, receives |"
echo "|---|---:|---:|"
paste <(printf '%s\n' "the AEAD" "weftd's own code" "libevent and liburcu" "reading the TAP" "writing the TAP, up to the guest's socket" \
	"sending UDP, up to the other host's socket" "receiving UDP" "epoll and sleeping" "the rest") \
	<(share A) <(share B) | awk -F '\t' '{printf "| %s | %s | %s |\n", $1, $2, $3}'
for host in A B; do
	printf '\nhost %s:\n' $host
	perf report -i "$WORK/perf-$host" --no-children -g none --sort dso,symbol --stdio 2>/dev/null |
		awk '!/^#/ && NF {print $1, $2, $4}' | head -n 20 | column -t
done
