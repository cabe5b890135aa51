#!/bin/bash
# A revoked host falls silent everywhere within a second, and does not come back by itself.
#
#   ctl ---- net ---- h1 (h1a) ---- h2 (h2a) ---- h3 (h3a), revoked
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# silent TEXT STREAM: the last frame of the stream in HEARD came no later than 1 s after the revocation
silent() {
	local after_ms
	after_ms=$(jq -r --arg stream "$2" --argjson at "$revoked_ms" '((.streams[$stream].last // 0) * 1000 - $at) | round' <<<"$HEARD")
	[ "$after_ms" -le "$(limit_ms 1000)" ] && [ "$(heard received "$2")" -gt 0 ]
	verdict $? "$1: last frame $after_ms ms after the revocation" "$HEARD"
}

fabric_up 3
for vm in h1a h2a h3a; do listen $vm; done
spawn to-h1 h3a "$FRAMES" send --to 52:54:00:00:00:11 --count 4000 --stream 31
spawn to-h2 h3a "$FRAMES" send --to 52:54:00:00:00:21 --count 4000 --stream 32
spawn to-h3 h1a "$FRAMES" send --to 52:54:00:00:00:31 --count 4000 --stream 13
spawn beside h1a "$FRAMES" send --to 52:54:00:00:00:21 --count 4000 --stream 12
for vm in h1a h2a h3a; do flowing $vm 500; done
revoked_ms=$(now_ms)
check "weft revoke h3" operator revoke h3
for name in to-h1 to-h2 to-h3 beside; do ended $name; done
listened h1a
silent "h3 to h1 stops" 31
listened h2a
silent "h3 to h2 stops" 32
equal "h1 to h2 loses nothing meanwhile" 4000 "$(heard received 12)"
listened h3a
silent "h1 to h3 stops" 13

# all that it kept, its private keys and the last topology among it, does not help
strangers() { [ "$(drops h1 handshake-stranger)" -gt "$1" ]; }
before=$(drops h1 handshake-stranger)
stop h3 KILL
agent_start h3
spawn knock h3a ping -n -q -i 0.1 10.0.0.11
within 15 "h3 restarts, knocks, and is a stranger to h1" strangers "$before"
stop knock
refuse "h3 reaches nobody" "100% packet loss" ping_once h3a 10.0.0.11
refuse "nobody reaches h3" "100% packet loss" ping_once h2a 10.0.0.31
check "the controller lists it as revoked" \
	jq -e '.items[] | select(.name == "h3") | .revoked' <(operator get hosts --json)
check "h1 and h2 still reach each other" reaches h1a 10.0.0.21

stop h3
token=$(operator token h3)
check "with a new token of the operator's it may join again" on h3 "$BUILD/weft" join "$token" --state "$WORK/h3-again"
mv "$WORK/h3" "$WORK/h3-before" && mv "$WORK/h3-again" "$WORK/h3"
agent_start h3
within 10 "... and is back" ping_once h3a 10.0.0.11
finish
