#!/bin/bash
# SIGTERM leaves nothing behind, SIGHUP reloads without a lost frame.
#
#   net ---- h1 (h1a; bridge br-made by weftd on request) ---- h2 (h2a)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

devices() { in_ip "$1" -br link | awk '{print $1}' | sort | xargs; }

fabric_without_lab 2
before=$(devices h1)
agent_start h1 h2
cat >"$WORK/lab.yaml" <<'YAML'
lab: lab
networks:
  mgmt: {}
  own: {}
ports:
  h1-lan: { host: h1, network: mgmt, attach: "bridge:br-lab" }
  h2-lan: { host: h2, network: mgmt, attach: "bridge:br-lab" }
  h1-made: { host: h1, network: own, attach: "bridge:br-made", create: true }
  h1-tap: { host: h1, network: own, attach: "tap:esx1-nic0" }
YAML
check "a lab with a bridge and a TAP to be made applies" apply "$WORK/lab.yaml"
check "the bridge is there" in_ip h1 link show br-made
check "the TAP is there" in_ip h1 link show esx1-nic0
wait_until 10 ping_once h1a 10.0.0.21
check "traffic passes" reaches h1a 10.0.0.21

listen h2a
stream h1a 52:54:00:00:00:21 --count 2000
flowing h2a 300
kill -HUP "${PIDS[h1]}"
ended send-h1a
listened h2a
equal "SIGHUP in mid-flow loses nothing" 2000 "$(heard received)"
check "... and weftd is the same process" running h1

stop h1 TERM
equal "SIGTERM ends weftd with status 0" 0 $?
equal "every device that it made is gone" "$before" "$(devices h1)"
check "its local socket is gone" test ! -e "$WORK/h1/weftd.sock"
stop controller TERM
equal "SIGTERM ends the controller with status 0" 0 $?

agent_start h1
within 2 "weftd starts again from what it kept" ping_once h1a 10.0.0.21
check "the bridge that it makes is there again" in_ip h1 link show br-made
stop h2 INT
equal "SIGINT ends weftd with status 0" 0 $?
finish
