#!/bin/bash
# The controller dies, an agent dies and comes back without it, the controller comes back: what stops, and for how long?
#
#   ctl ---- net ---- h1 (h1a, h1b) ---- h2 (h2a, h2b)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

fabric_up 2

listen h2a
must on h1a "$FRAMES" send --to 52:54:00:00:00:21 --count 300 --rate 1000
stop controller KILL
must on h1a "$FRAMES" send --to 52:54:00:00:00:21 --count 1500 --rate 1000 --stream 2
listened h2a
equal "no frame is lost when the controller is killed" "300 1500" "$(heard received) $(heard received 2)"

stop h1 KILL
check "a killed agent's TAP is gone" test -z "$(in_ip h1 -br link show type tun)"
agent_start h1
within 2 "traffic is back after the agent's start, while the controller is away" ping_once h1a 10.0.0.21
within 2 "... and in the other direction" ping_once h2b 10.0.0.12

stop h1 KILL
stop h2 KILL
agent_start h1 h2
within 2 "traffic is back after the start of both agents" ping_once h1a 10.0.0.21

controller_start
bridge_add h1 br-new
bridge_add h2 br-new
vm_add h1 h1n 15 br-new
vm_add h2 h2n 25 br-new
lab new h1 h2 | sed 's/br-lab/br-new/' >"$WORK/new.yaml"
check "the controller is back: a new lab applies" apply "$WORK/new.yaml"
check "... and carries traffic" reaches h1n 10.0.0.25
check "the old lab still does" reaches h1a 10.0.0.21
finish
