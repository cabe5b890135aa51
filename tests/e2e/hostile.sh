#!/bin/bash
# hostile.sh [sanitized] - a host of the fabric attacks another: 100,000 datagrams of each kind, each counted under the right name,
# traffic beside them unharmed, no growth in memory.  "sanitized" runs it on the programs built with ASan and UBSan.
#
#   net ---- h1 (h1a; h1p on a network that h3 is not on) ---- h2 (h2a, h2p) ---- h3: attacker instead of weftd
#
# shellcheck source-path=SCRIPTDIR
COUNT=100000
RATE=40000
if [ "${1:-}" = sanitized ]; then
	WEFT_BUILD=$(cd "$(dirname "$0")/../.." && pwd)/build/check/clang
	COUNT=20000
	RATE=10000
fi
. "$(dirname "$0")/lib.sh"

ATTACKER_MAC=02:00:00:00:66:66 # of the frames in the attacker's datagrams
GROWTH_KIB=1024

all_drops() { agent_status h1 | jq -c .drops; }
overflow() { on h1 awk '/^Udp:/ && $2 ~ /^[0-9]+$/ {print $6}' /proc/net/snmp; } # RcvbufErrors

attack() { # ARGUMENTS...: SENT
	on h3 "$TOOLS/attacker" --state "$WORK/h3" --peer h1 --bind "$(with_port "$(address 3)" 4754)" --rate $RATE \
		"$@" 2>>"$LOGS/attacker.log" | tee -a "$LOGS/attacker.log"
}

# counted TEXT PATTERN ATTACK [ARGUMENTS...]: of COUNT datagrams of ATTACK, all are dropped, under names that match PATTERN;
# what the socket had no room for, the kernel counts
counted() {
	local text=$1 pattern=$2 kind=$3 before after sent right wrong lost
	shift 3
	before=$(all_drops)
	lost=$(overflow)
	sent=$(attack "$@" --count $COUNT "$kind" | jq -r ".[\"$kind\"].sent")
	wait_until 3 settled
	after=$(all_drops)
	lost=$(($(overflow) - lost))
	right=$(difference "$before" "$after" "test(\$pattern)" "$pattern")
	# what is left of the first round's fragments times out in peace; udp-missed is what the socket had no room for
	wrong=$(difference "$before" "$after" "test(\$pattern) | not" "$pattern|fragment-timeout|udp-missed")
	[ "${sent:-0}" -ge $((COUNT * 99 / 100)) ] && [ $((right + lost)) -ge "$sent" ] && [ "$wrong" -le 20 ]
	verdict $? "$text: $sent sent, $right counted as $pattern, $lost refused by the socket" \
		"$wrong under other names: $(jq -nc --argjson a "$before" --argjson b "$after" '$b | with_entries(.value -= ($a[.key] // 0) | select(.value != 0))')"
}

# difference BEFORE AFTER FILTER PATTERN: by how much the counters whose name passes FILTER have grown together
difference() {
	jq -nr --argjson a "$1" --argjson b "$2" --arg pattern "^($4)\$" \
		"[\$b | to_entries[] | select(.key | $3) | .value - (\$a[.key] // 0)] | add // 0"
}

# the counters stand still
settled() {
	local first
	first=$(all_drops)
	sleep 0.1
	[ "$first" = "$(all_drops)" ]
}

fabric_up 3
for n in 1 2; do
	bridge_add h$n br-priv
	vm_add h$n h${n}p ${n}5 br-priv
done
lab private h1 h2 | sed 's/br-lab/br-priv/' >"$WORK/private.yaml"
must apply "$WORK/private.yaml"
private=$(operator get networks --json | jq '.items[] | select(.lab == "private") | .id')
must wait_until 10 ping_once h1a 10.0.0.31
stop h3

# a first round, so that all memory that is taken once is taken
attack --count 5000 good foreign replay truncated tampered random garbage bodies initiations initiations-mac1 >/dev/null
before_kib=$(rss_kib h1)

listen h1p --watch $ATTACKER_MAC
listen h2a
listen h1a
stream h1a 52:54:00:00:00:21 --count 0 --rate 500 --size 300 --stream 1
stream h2a 52:54:00:00:00:11 --count 0 --rate 500 --size 1514 --stream 2

counted "frames on a network that does not exist" "network-unknown" foreign
counted "frames on a network that the sender is not on" "switch-not-member" foreign --network "$private"
listen h1b --watch $ATTACKER_MAC
counted "replays" "replay-duplicate" replay
listened h1b
equal "... and of the 256 frames that were replayed h1b heard each once" 256 "$(jq .watched <<<"$HEARD")"
counted "replays from before the window" "replay-old" replay-old
counted "truncated datagrams" "gre-short|not-authentic" truncated
counted "tampered datagrams" "gre-.*|session-unknown|lane-.*|not-authentic|replay-.*" tampered
counted "random datagrams" "gre-.*" random
counted "random datagrams behind a good header" "not-authentic|replay-.*" garbage
counted "handshakes of random bytes" "handshake-.*" initiations
counted "handshakes of random bytes with a good mac1" "handshake-.*" initiations-mac1
counted "a good handshake replayed" "handshake-.*" initiations-old

stop send-h1a
stop send-h2a
listened h1a
equal "h2a to h1a lost nothing meanwhile" "$(jq -s last.sent "$LOGS/send-h2a.log") 0 0" \
	"$(heard received 2) $(heard duplicates 2) $(heard corrupt 2)"
listened h2a
equal "h1a to h2a lost nothing meanwhile" "$(jq -s last.sent "$LOGS/send-h1a.log") 0 0" \
	"$(heard received 1) $(heard duplicates 1) $(heard corrupt 1)"
listened h1p
equal "no frame of the attacker's reached the network that it is not on" 0 "$(jq .watched <<<"$HEARD")"

# sealed nonsense may by chance be something good, such as a fragment or a probe
before=$(all_drops)
attack --count $COUNT bodies >/dev/null
must wait_until 10 settled
dropped=$(difference "$before" "$(all_drops)" "test(\$pattern)" "record-.*|frame-short|network-unknown|fragment-.*|probe-.*|switch-.*|segment-.*|coalesce-.*")
check "random records, properly sealed: $dropped of $COUNT were dropped" test "$dropped" -gt $((COUNT * 85 / 100))
said=$(attack stranger)
equal "handshakes with a key that the topology does not have: no answer" "0 0" \
	"$(jq -r '.stranger | "\(.answered) \(.sessions)"' <<<"$said")"
said=$(attack wrong-psk)
equal "handshakes without the fabric's secret: no session" 0 "$(jq -r '.["wrong-psk"].sessions' <<<"$said")"

after_kib=$(rss_kib h1)
[ "${1:-}" = sanitized ] || [ $((after_kib - before_kib)) -le $GROWTH_KIB ]
verdict $? "weftd's memory: $before_kib KiB before, $after_kib KiB after"
check "weftd is the same process" running h1
check "traffic goes on" reaches h1a 10.0.0.21
agent_start h3
within 10 "h3 is welcome again when weftd runs there" ping_once h3a 10.0.0.11
stop h1
equal "SIGTERM ends the weftd that was attacked with status 0" 0 $?
finish
