#!/bin/bash
# A machine is copied with its keys: the one that answers stays, the copy is refused by name, everybody says so, and it heals by itself.
#
#   ctl ---- net ---- h1 (h1a)
#                ---- h2 (h2a)
#                ---- copy: h1's state folder on another machine
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

of() { agent_status "$1" | jq -er --arg peer "$2" --arg member "$3" '.peers[] | select(.host == $peer) | .[$member]'; }
named() { of h2 h1 reason | grep -q "two machines use h1's keys: the one at 192.0.2.1:4754 stays, the one at 192.0.2.9:4754 is refused"; }
reported() { operator get hosts --json | jq -e --arg host "$1" '.items[] | select(.name == $host) | .errors[]? | select(.text | test("two machines use (h1|this host)"))'; }
copy_knows() { agent_status copy | jq -e '.topology.errors[] | select(.text | test("two machines use this host.s keys"))'; }
at_h1() { [ "$(of h2 h1 endpoint)" = "192.0.2.1:4754" ]; }
revision() { operator get hosts --json | jq .rev; }
evented() { operator events --json 2>/dev/null | grep -q '"host-cloned"'; }

fabric_up 2
space_add copy
plug copy 9
bridges_unfiltered copy
bridge_add copy br-lab
cp -a "$WORK/h1" "$WORK/copy"
rm -f "$WORK/copy/weftd.sock"
before=$(revision)
agent_start copy
within 5 "the peer names both" named
listen h2a
stream h1a 52:54:00:00:00:21 --count 6000 --rate 1000
within 20 "the controller says it of h1" reported h1
within 5 "... and the peer's report of it is with h2" reported h2
within 10 "the copy says it of itself" copy_knows
check "the machine that was there first is the peer" at_h1
ended send-h1a
listened h2a
[ "$(heard missing)" -le 5 ]
verdict $? "nothing of its traffic is lost meanwhile ($(heard missing) frames)" "$HEARD"
[ "$(revision)" -le $((before + 3)) ]
verdict $? "the fabric's revision does not grow with it (from $before to $(revision))"
check "it is an event" evented

stop copy KILL
agent_start copy
stop h1 KILL
elsewhere() { [ "$(of h2 h1 endpoint)" = "192.0.2.9:4754" ] && [ "$(of h2 h1 state)" = up ]; }
within 8 "the first one is off: the copy takes its place, as a restored machine does" elsewhere
finish
