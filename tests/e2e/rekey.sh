#!/bin/bash
# 24 hours of rekeys within a minute: weftd's test clock lets keys age 1800 times as fast; no frame is lost to a rekey.
#
#   net ---- h1 (h1a) ---- h2 (h2a), streams in both directions
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

REKEYS=720 # 24 h of one each 120 s
WEFTD_ARGS=(--time-scale 1800)

rekeys() { agent_status h1 | jq '[.peers[].handshakes] | add'; }
rekeyed() { [ "$(rekeys)" -ge $((started + REKEYS)) ]; }

# whole VM STREAM: the stream in HEARD, as its sender's own count has it
whole() {
	local sent
	sent=$(jq -s 'last.sent' "$LOGS/send-$1.log")
	equal "$1: $sent frames sent, each heard once" "$sent 0 0" "$(heard received "$2") $(heard duplicates "$2") $(jq .overrun <<<"$HEARD")"
}

fabric_up 2
listen h1a
listen h2a
started=$(rekeys)
start_ms=$(now_ms)
stream h1a 52:54:00:00:00:21 --count 0 --rate 1000 --size 400 --stream 1
stream h2a 52:54:00:00:00:11 --count 0 --rate 1000 --size 400 --stream 2
wait_until 150 rekeyed
check "$(($(rekeys) - started)) rekeys in $(($(now_ms) - start_ms)) ms" rekeyed
stop send-h1a
stop send-h2a
listened h2a
whole h1a 1
listened h1a
whole h2a 2
for host in h1 h2; do say "$host's drops: $(agent_status $host | jq -c .drops)"; done
finish
