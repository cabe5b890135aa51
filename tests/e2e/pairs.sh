#!/bin/bash
# pairs.sh 4|6 - six VMs on three hosts are one Ethernet, over an IPv4 or an IPv6 underlay of MTU 1500
#
#   net ---- h1 (h1a, h1b) ---- h2 (h2a, h2b) ---- h3 (h3a, h3b)       one lab, one network
# shellcheck source-path=SCRIPTDIR
UNDERLAY=${1:?usage: pairs.sh 4|6}
. "$(dirname "$0")/lib.sh"

VMS="h1a h1b h2a h2b h3a h3b"
last_of() { echo "$1" | tr -d h | tr ab 12; }

# all_pairs TEXT COMMAND...: COMMAND FROM TO for each of the 30 ordered pairs, six at a time
all_pairs() {
	local text=$1 from to pids=() pid bad=0
	shift
	for from in $VMS; do
		pids=()
		for to in $VMS; do
			[ "$from" = "$to" ] && continue
			"$@" "$from" "$to" >"$WORK/pair-$from-$to" 2>&1 &
			pids+=($!)
		done
		for pid in "${pids[@]}"; do wait "$pid" || bad=$((bad + 1)); done
	done
	equal "$text, 30 of 30 pairs" 0 "$bad"
}

ping4() { reaches "$1" "10.0.0.$(last_of "$2")"; }
ping6() { reaches "$1" "fd00::$(last_of "$2")"; }
full_frame4() { reaches "$1" "10.0.0.$(last_of "$2")" -M "do" -s 1472; }
full_frame6() { reaches "$1" "fd00::$(last_of "$2")" -M "do" -s 1452; }
datagram4() { reaches "$1" "10.0.0.$(last_of "$2")" -s 8000; }
datagram6() { reaches "$1" "fd00::$(last_of "$2")" -s 8000; }
arp() { on "$1" arping -q -c 2 -w 3 -I eth0 "10.0.0.$(last_of "$2")"; }

# once_everywhere TEXT MAC: 200 frames from h1a to MAC are heard by the five others, each frame once
once_everywhere() {
	local text=$1 to=$2 vm wrong=
	for vm in h1b h2a h2b h3a h3b; do listen "$vm"; done
	must on h1a "$FRAMES" send --to "$to" --count 200 --rate 1000
	must on h1a "$FRAMES" send --to "$to" --count 20 --rate 1000 --size 1514 --stream 2
	wait_until 2 ping_once h1a 10.0.0.31
	for vm in h1b h2a h2b h3a h3b; do
		listened "$vm"
		[ "$(heard received) $(heard duplicates) $(heard corrupt) $(heard received 2)" = "200 0 0 20" ] ||
			wrong+="$vm heard $HEARD; "
	done
	equal "$text" "" "$wrong"
}

# mdns TEXT: a UDP datagram to 224.0.0.251:5353 reaches sockets that have joined the group on the other VMs
mdns() {
	local vm heard=0
	for vm in h1b h2a h2b h3a h3b; do
		spawn "mdns-$vm" "$vm" python3 "$ROOT/tests/e2e/multicast.py" recv "$WORK/mdns-$vm"
	done
	for vm in h1b h2a h2b h3a h3b; do must wait_until 5 test -e "$WORK/mdns-$vm"; done
	must on h1a python3 "$ROOT/tests/e2e/multicast.py" send "who is printer.local?"
	for vm in h1b h2a h2b h3a h3b; do
		wait_until 3 test -s "$WORK/mdns-$vm" && heard=$((heard + 1))
		stop "mdns-$vm"
	done
	equal "a multicast datagram (mDNS's group) reaches the five others" 5 "$heard"
}

fabric_up 3
all_pairs "ping by IPv4 (ARP by broadcast)" ping4
all_pairs "ping by IPv6 (neighbour discovery by multicast)" ping6
all_pairs "ARP itself" arp
all_pairs "full frames of 1500 bytes by IPv4" full_frame4
all_pairs "full frames of 1500 bytes by IPv6" full_frame6
all_pairs "8000-byte datagrams by IPv4" datagram4
all_pairs "8000-byte datagrams by IPv6" datagram6
once_everywhere "broadcast frames reach all five others, each exactly once" ff:ff:ff:ff:ff:ff
once_everywhere "multicast frames reach all five others, each exactly once" 33:33:00:00:00:fb
once_everywhere "frames to a MAC nobody has are flooded, each exactly once" 52:54:00:00:00:77
mdns

# learnt by now: what is for one VM is not flooded to the others
listen h3a
must on h1a "$FRAMES" send --to 52:54:00:00:00:21 --count 100 --rate 1000
listened h3a
equal "frames for h2a do not reach h3a" 0 "$(heard received)"

spawn iperf3 h2a iperf3 -s -1
must wait_until 5 on h2a sh -c 'ss -Hltn sport = :5201 | grep -q .'
check "TCP carries data" on h1a iperf3 -c 10.0.0.21 -t 2
for host in h1 h2 h3; do
	check "$host has sessions with the two others" \
		jq -e '[.peers[] | select(.state == "up")] | length == 2' <(agent_status $host)
done
finish
