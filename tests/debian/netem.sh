#!/bin/bash
# netem.sh - an underlay with delay, loss, reordering and duplicates of the kernel's own
#
#   h1 (h1a) ---- net, netem on both legs ---- h2 (h2a)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../e2e/lib.sh"

fabric_up 2
for leg in to-h1 to-h2; do
	must on net tc qdisc add dev $leg root netem delay 10ms 3ms loss 0.5% duplicate 0.5% reorder 2% limit 10000
done
listen h2a
stream h1a 52:54:00:00:00:21 --count 4000
ended send-h1a
listened h2a
equal "no frame is corrupt" 0 "$(heard corrupt)"
say "of 4000 frames $(heard received) came; $(heard duplicates) twice"
# two legs of 0.5 % are 40; a burst of duplicates is the replay window's to stop
verdict "$([ "$(heard received)" -gt 3800 ]; echo $?)" "what the path loses is lost, and no more" "$HEARD"
equal "what the path doubles comes once" 0 "$(heard duplicates)"
verdict "$([ "$(drops h2 replay)" -gt 0 ]; echo $?)" "... and is counted as a replay" "$(agent_status h2 | jq -c .drops)"
rtt=$(on h1a ping -n -q -c 20 -i 0.2 10.0.0.21 | sed -n 's|^rtt.*= [0-9.]*/\([0-9]*\)\..*|\1|p')
verdict "$([ "${rtt:-0}" -ge 18 ]; echo $?)" "the round trip is the path's: $rtt ms"
on h2a timeout 60 iperf3 -s -1 >"$LOGS/iperf3-server.log" 2>&1 &
PIDS[iperf]=$!
sleep 1
check "TCP gets through" on h1a timeout 40 iperf3 -c 10.0.0.21 -t 5
finish
