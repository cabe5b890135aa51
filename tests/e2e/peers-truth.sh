#!/bin/bash
# What is said of a peer is so: who stops is gone at once, who dies is silent as soon as its path's use asks for, who is back is up.
#
#   net ---- h1 (h1a)         mgmt: h1, h2, h3; only h1a and h2a send frames
#       ---- h2 (h2a)         cable: a wire between h1 and h3
#       ---- h3 (h3a)         rest: h1 and h4, and nobody sends
#       ---- h4
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# of HOST PEER MEMBER: what the host's status has of the peer
of() { agent_status "$1" | jq -er --arg peer "$2" --arg member "$3" '.peers[] | select(.host == $peer) | .[$member]'; }
# says HOST PEER STATE [REASON]
says() {
	[ "$(of "$1" "$2" state)" = "$3" ] && { [ -z "${4:-}" ] || of "$1" "$2" reason | grep -q -- "$4"; }
}
paced() { [ "$(of "$1" "$2" pace)" = "$3" ]; }
# told MS SINCE TEXT HOST PEER STATE [REASON]: within so many milliseconds of the moment SINCE
told() {
	local limit=$1 since=$2 text=$3 took
	shift 3
	wait_until $((limit / 1000 + 5)) says "$@"
	took=$(($(now_ms) - since))
	[ $took -le "$limit" ] && says "$@"
	verdict $? "$text (after $took ms)" "$(agent_status "$1" | jq -c '.peers[] | {host, state, reason, pace, since_s, last_rx_ms}')"
}
# link HOST NAME: an interface that nothing is sent on by itself
link() {
	must on "$1" sysctl -qw net.ipv6.conf.default.disable_ipv6=1
	must in_ip "$1" link add "$2" type veth peer name "$2x"
	must in_ip "$1" link set "$2" up
	must in_ip "$1" link set "$2x" up
}

fabric_up 3
host_add h4 4
enrol h4
agent_start h4
link h1 cable
link h3 cable
link h1 rest
link h4 rest
cat >"$WORK/links.yaml" <<'YAML'
lab: links
networks:
  rest: {}
ports:
  h1-rest: { host: h1, network: rest, attach: "packet:rest" }
  h4-rest: { host: h4, network: rest, attach: "packet:rest" }
wires:
  cable: [ { host: h1, attach: "packet:cable" }, { host: h3, attach: "packet:cable" } ]
YAML
must apply "$WORK/links.yaml"
for peer in h2 h3 h4; do within 5 "$peer is up" says h1 $peer up; done
check "the peer with a wire is watched as such" paced h1 h3 wire
check "the one that no frame goes to as idle" paced h1 h4 idle
check "the one that frames go to as active" paced h1 h2 active

# ---- the controller is away: hosts find out by themselves ----
stop controller KILL
start_idle=$(now_ms)
stop h4 KILL

start=$(now_ms)
stop h2
told 1000 "$start" "who stops is gone at once, and has said so" h1 h2 gone "said goodbye"
on h1a ping -c 3 -i 0.2 -W 1 10.0.0.21 >/dev/null
dropped_by_name() { [ "$(drops h1 peer-goodbye)" -gt 0 ]; }
check "frames for it are dropped by name" dropped_by_name
check "... and its MAC is not forgotten" sh -c "$BUILD/weft status macs --json --state $WORK/h1 | jq -e '.[] | select(.mac == \"52:54:00:00:00:21\")'"
agent_start h2
start=$(now_ms)
told 2000 "$start" "it is up again as soon as it is back" h1 h2 up
within 2 "... and carries frames" ping_once h1a 10.0.0.21

for signal in TERM KILL; do
	start=$(now_ms)
	stop h3 $signal
	told 1000 "$start" "a wire's peer, SIG$signal: told within a second" h1 h3 "$([ $signal = TERM ] && echo gone || echo silent)"
	agent_start h3
	start=$(now_ms)
	told 2000 "$start" "... and up when it is back" h1 h3 up
done

start=$(now_ms)
stop h2 KILL
told 3200 "$start" "who dies after frames went is silent within 3 s" h1 h2 silent "192.0.2.2:4754 does not answer"
silent_line() { on h1 "$BUILD/weft" status peers --state "$WORK/h1" | grep -E "h2: silent for [0-9]+s: 192.0.2.2:4754 does not answer"; }
check "weft status says so, since when, and where it looks" silent_line
check "... in 80 columns" sh -c "COLUMNS=80 ip netns exec $PREFIX-h1 $BUILD/weft status peers --state $WORK/h1 | awk 'length > 80 { exit 1 }'"
agent_start h2
start=$(now_ms)
told 2000 "$start" "it is up again as soon as it is back" h1 h2 up

told 31000 "$start_idle" "who dies at rest is silent within 30 s" h1 h4 silent
agent_start h4
start=$(now_ms)
told 2000 "$start" "it is up again as soon as it is back" h1 h4 up
finish
