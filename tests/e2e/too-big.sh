#!/bin/bash
# Frames that do not fit the path: fragments by default, with fragment: false an answer that says what fits.
#
#   h1 (h1a, h1b) ---- net, MTU 1500 ---- h2 (h2a, h2b)       one lab, one network; a full frame and the tunnel are over 1500
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

path_mtu_is() { # MTU
	local host
	for host in h1 h2; do
		[ "$(agent_status "$host" | jq '.peers[0].path_mtu // 0')" = "$1" ] || return 1
	done
}

# lab_with OPTIONS: the network has them from now on; the VMs forget which sizes they were told
lab_with() {
	sed "s/mtu: 1500 }/mtu: 1500$1 }/" "$WORK/lab.yaml" >"$WORK/changed.yaml"
	check "the lab with { mtu: 1500$1 } applies" apply "$WORK/changed.yaml"
	forget
}
forget() {
	must in_ip h1a route flush cache
	must in_ip h1a -6 route flush cache
}

ping_df() { on h1a ping -n -c 1 -W 2 -M "do" -s "$2" "$1"; } # ADDRESS PAYLOAD

# told TEXT PATTERN HEADER-BYTES ADDRESS: a full frame is answered with a size; exactly that size passes
told() {
	local text=$1 pattern=$2 header=$3 to=$4 said mtu before
	before=$(drops h1 frame-too-big)
	said=$(ping_df "$to" $((1500 - header)))
	mtu=$(sed -nE "s/^From $to .*$pattern.*/\1/p" <<<"$said")
	[ -n "$mtu" ]
	verdict $? "$text: a full frame is answered, ${mtu:-?} bytes fit" "$said"
	mtu=${mtu:-0}
	equal "$text: it is the path's MTU less 60 bytes of the tunnel and 14 of Ethernet" $((1500 - 60 - 14)) "$mtu"
	equal "$text: it is counted as frame-too-big" $((before + 1)) "$(drops h1 frame-too-big)"
	forget
	check "$text: a packet of $mtu bytes passes" ping_df "$to" $((mtu - header))
	refuse "$text: one byte more does not" "mtu ?= ?$mtu" ping_df "$to" $((mtu + 1 - header))
	forget
}

tcp_flow() { # ADDRESS
	spawn iperf3 h2a iperf3 -s -1
	must wait_until 5 on h2a sh -c 'ss -Hltn sport = :5201 | grep -q .'
	on h1a iperf3 -c "$1" -t 1 -J | jq -e '.end.sum_received.bits_per_second > 10e6'
}

fabric_up 2
within 10 "the path's MTU is found" path_mtu_is 1500
check "by default, a full frame with DF passes by IPv4" ping_df 10.0.0.21 1472
check "... and by IPv6" ping_df fd00::21 1452
equal "... and none is too big" 0 "$(drops h1 frame-too-big)"

lab_with ", fragment: false"
told IPv4 'Frag needed and DF set \(mtu = ([0-9]+)\)' 28 10.0.0.21
told IPv6 'Packet too big: mtu=([0-9]+)' 48 fd00::21
before=$(drops h1 frame-too-big)
for to in 10.0.0.21 fd00::21; do
	check "a TCP flow to $to is cut to fit" tcp_flow $to
done
equal "... and nothing of it is too big" "$before" "$(drops h1 frame-too-big)"
refuse "a full frame without DF is lost, since nobody is to be told" "100% packet loss" \
	on h1a ping -n -c 1 -W 1 -M dont -s 1472 10.0.0.21
equal "... and is counted" $((before + 1)) "$(drops h1 frame-too-big)"
check "VMs of one host are not concerned" on h1a ping -n -c 1 -W 2 -M "do" -s 1472 10.0.0.12

for host in h1 h2; do must in_ip $host link set up0 mtu 1280; done
within 10 "the path shrinks to 1280" path_mtu_is 1280
forget
check "IPv6, which promises 1280 bytes, is fragmented here" ping_df fd00::21 1232
refuse "... and IPv4 is told" 'mtu ?= ?1206' ping_df 10.0.0.21 1252

lab_with ""
check "with fragments again, a full frame with DF passes by IPv4" ping_df 10.0.0.21 1472
check "... and by IPv6" ping_df fd00::21 1452
finish
