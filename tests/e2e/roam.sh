#!/bin/bash
# A host's underlay address changes in mid-flow; traffic is back within 2 s, whoever of the two ends is talking.
#
#   net ---- h1 (h1a): .1, then .51, then .1 again, then .51 ---- h2 (h2a)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LIMIT_MS=$(limit_ms 2000)
FRAMES_SENT=4000 # at 1000 a second

renumber() { # FROM TO
	must in_ip h1 addr del "$(address "$1")/24" dev up0
	must in_ip h1 addr add "$(address "$2")/24" dev up0
}

# back TEXT: the stream in HEARD went on to its end, and its longest gap was within the limit
back() {
	[ "$(heard highest)" = $((FRAMES_SENT - 1)) ] && [ "$(heard gap_ms)" -le $LIMIT_MS ]
	verdict $? "$1: back after $(heard gap_ms) ms, $(heard missing) frames lost" "$HEARD"
}

# moved TEXT FROM TO SENDER...: while these VMs (h1a, h2a) send to the other, h1's address changes
moved() {
	local text=$1 from=$2 to=$3 vm other
	shift 3
	for vm in "$@"; do
		if [ "$vm" = h1a ]; then other=h2a; else other=h1a; fi
		listen $other
		stream "$vm" "52:54:00:00:00:$(tr -d h <<<"$other" | tr a 1)" --count $FRAMES_SENT
		flowing $other 500
	done
	renumber "$from" "$to"
	for vm in "$@"; do
		if [ "$vm" = h1a ]; then other=h2a; else other=h1a; fi
		ended "send-$vm"
		listened $other
		back "$text, $vm to $other"
	done
}

fabric_up 2
moved "the address changes while both ends talk" 1 51 h1a h2a
moved "it changes back while only the host that moved talks" 51 1 h1a
moved "it changes again while only the other host talks" 1 51 h2a
endpoint() { operator get hosts --json | jq -e --arg at "$(address 51)" '.items[] | select(.name == "h1") | .endpoint | startswith($at)'; }
within 20 "the controller has learnt the new address" endpoint
finish
