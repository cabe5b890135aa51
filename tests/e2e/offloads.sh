#!/bin/bash
# Guests with and without offloads, an underlay with and without, ports of all kinds: every byte arrives, flows keep
# their order, and every frame that leaves a port has a right checksum.
#
#   h1: br-lab (h1a)                  ---- net ---- h2: br-lab (h2a)
#       pa, AF_PACKET (VM p1)                           pb, AF_PACKET (VM p2)
#       px, AF_PACKET, access VLAN 10 (VM x1)           tp, a TAP (VM t2 has its other side)
#
# All ports but px are trunks.  VM LAST has 10.0.0.LAST and fd00::LAST, and in VLAN 10 10.10.0.LAST and fd10::LAST (vlan-tag.c).
# Checksums are looked at in the receiving VM: whole, or partial in Linux's own sense.  Guests are: "on", all offloads;
# "strict", they send with offloads and take none, so that every checksum must be whole; "off", none at all.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

FLOWS=$ROOT/tests/e2e/flows.py
declare -A LAST=([h1a]=11 [h2a]=21 [p1]=51 [p2]=52 [t2]=62 [x1]=71)
declare -A DEVICE=([t2]=tp) # eth0 unless named here
ALL_OFF="rx off tx off tso off gso off gro off tx-udp-segmentation off"
ALL_ON="rx on tx on tso on gso on gro on tx-udp-segmentation on"
ALL_ON_TO_SEND="rx off tx on tso on gso on gro off tx-udp-segmentation on"

# end_add HOST VM DEVICE: a VM whose link is DEVICE on the host, in no bridge
end_add() {
	space_add "$2"
	must in_ip "$1" link add "$3" type veth peer name eth0 netns "$PREFIX-$2"
	must in_ip "$1" link set "$3" up
}

# addresses VM: and the sub-interface for VLAN 10; x1's link is in VLAN 10 itself
addresses() {
	local vm=$1 device=${DEVICE[$1]:-eth0} last=${LAST[$1]}
	must in_ip "$vm" link set "$device" up
	if [ "$vm" != x1 ]; then
		must in_ip "$vm" addr replace "10.0.0.$last/24" dev "$device"
		must in_ip "$vm" addr replace "fd00::$last/64" dev "$device" nodad
		must in_ip "$vm" link add link "$device" name v10 type macvlan mode bridge
		must on "$vm" tc qdisc add dev v10 clsact
		must on "$vm" tc filter add dev v10 egress bpf da obj "$WORK/vlan-tag.o" sec out
		must on "$vm" tc filter add dev v10 ingress bpf da obj "$WORK/vlan-tag.o" sec in
		device=v10
	fi
	must in_ip "$vm" link set "$device" up
	must in_ip "$vm" addr add "10.10.0.$last/24" dev "$device"
	must in_ip "$vm" addr add "fd10::$last/64" dev "$device" nodad
}

# guests on|strict|off, underlay on|off.  A device says what it cannot change; that is no failure
# shellcheck disable=SC2086
guests() {
	local vm end sending=$ALL_ON taking=$ALL_ON
	case $1 in
	strict) sending=$ALL_ON_TO_SEND ;;
	off) sending=$ALL_OFF ;;
	esac
	[ "$1" = on ] || taking=$ALL_OFF
	for vm in "${!LAST[@]}"; do on "$vm" ethtool -K "${DEVICE[$vm]:-eth0}" $sending >/dev/null 2>&1; done
	for end in h1:vm-h1a h2:vm-h2a h1:pa h2:pb h1:px; do
		on "${end%:*}" ethtool -K "${end#*:}" $taking >/dev/null 2>&1
	done
	GUESTS=$1
}
underlay() {
	local host
	for host in h1 h2; do must on $host ethtool -K up0 tso "$1" gso "$1" gro "$1" tx-udp-segmentation "$1"; done
	CASE="guests $GUESTS, underlay $1"
}

# tool VM COMMAND ARGUMENTS...: flows.py in the background; told VM COMMAND ends it and prints its report
tool() {
	local vm=$1 command=$2
	rm -f "$WORK/$command-$vm"
	ip netns exec "$PREFIX-$vm" "$FLOWS" "${@:2}" >"$WORK/$command-$vm" 2>"$LOGS/$command-$vm.log" </dev/null &
	PIDS["$command-$vm"]=$!
	wait_until 10 test -s "$WORK/$command-$vm" || bail "flows.py $command does not start on $vm"
}
told() {
	stop "$2-$1" TERM
	tail -n 1 "$WORK/$2-$1"
}

# right_checksums TEXT VM REPORT
right_checksums() {
	local rule='.wrong == 0 and .whole + .partial > 0'
	[ "$GUESTS" = on ] || [ "$2" = t2 ] || rule+=' and .partial == 0'
	jq -e "$rule" <<<"$3" >/dev/null
	verdict $? "$1: $(jq -r '"\(.whole) checksums whole, \(.partial) partial, \(.wrong) wrong"' <<<"$3")" "$3"
}

# stream_of TEXT FROM TO ADDRESS MIB: TCP
stream_of() {
	local text="$CASE: $1" from=$2 to=$3 sent got
	tool "$to" checksums --device "${DEVICE[$to]:-eth0}"
	tool "$to" serve
	sent=$(on "$from" "$FLOWS" send "$4" --mib "$5" 2>&1)
	ended "serve-$to" 2>/dev/null
	got=$(tail -n 1 "$WORK/serve-$to")
	[ "$(jq -c '[.bytes, .sha256]' <<<"$sent" 2>&1)" = "$(jq -c '[.bytes, .sha256]' <<<"$got" 2>&1)" ]
	verdict $? "$text, $5 MiB as they were sent, in $(jq .seconds <<<"$sent" 2>/dev/null) s" "sent $sent, got $got"
	right_checksums "$text" "$to" "$(told "$to" checksums)"
}

# datagrams_of TEXT FROM TO ADDRESS SEGMENTS
datagrams_of() {
	local text="$CASE: $1" from=$2 to=$3 sent got
	tool "$to" checksums --device "${DEVICE[$to]:-eth0}"
	tool "$to" collect
	sent=$(on "$from" "$FLOWS" scatter "$4" --segments "$5" --count 8000 --rate 8000 2>&1)
	wait_until 2 ping_once "$from" "10.0.0.${LAST[$to]}" # behind them
	got=$(told "$to" collect)
	jq -e '.corrupt == 0 and .reordered == 0 and .duplicates == 0 and .received >= 7900' <<<"$got" >/dev/null
	verdict $? "$text, $(jq .received <<<"$got") of 8000 datagrams, in order" "sent $sent, got $got"
	right_checksums "$text" "$to" "$(told "$to" checksums)"
}

# all_flows FROM TO TEXT
all_flows() {
	local from=$1 to=$2 last=${LAST[$2]}
	stream_of "$3, TCP by IPv4" "$from" "$to" "10.0.0.$last" "$MIB"
	stream_of "$3, TCP by IPv6" "$from" "$to" "fd00::$last" "$MIB"
	stream_of "$3, TCP in a VLAN" "$from" "$to" "10.10.0.$last" "$MIB"
	datagrams_of "$3, UDP in trains of 16" "$from" "$to" "fd00::$last" 16
}

must clang -O2 -target bpf -I"/usr/include/$(gcc -dumpmachine)" -c "$ROOT/tests/e2e/vlan-tag.c" -o "$WORK/vlan-tag.o"
fabric_without_lab 2
end_add h1 p1 pa
end_add h2 p2 pb
end_add h1 x1 px
must in_ip h2 tuntap add tp mode tap multi_queue vnet_hdr
cat >"$WORK/offloads.yaml" <<'YAML'
lab: offloads
networks:
  mixed: { mtu: 1500 }
ports:
  bridge-1: { host: h1, network: mixed, attach: "bridge:br-lab", vlan: { trunk: all } }
  bridge-2: { host: h2, network: mixed, attach: "bridge:br-lab", vlan: { trunk: all } }
  packet-1: { host: h1, network: mixed, attach: "packet:pa", vlan: { trunk: all } }
  packet-2: { host: h2, network: mixed, attach: "packet:pb", vlan: { trunk: all } }
  access-1: { host: h1, network: mixed, attach: "packet:px", vlan: { access: 10 } }
  tap-2: { host: h2, network: mixed, attach: "tap:tp", vlan: { trunk: all } }
YAML
agent_start h1 h2
must apply "$WORK/offloads.yaml"
space_add t2
must in_ip h2 link set tp netns "$PREFIX-t2"
for vm in "${!LAST[@]}"; do addresses "$vm"; done
must wait_until 10 ping_once h1a 10.0.0.62
must wait_until 10 ping_once x1 10.10.0.21

# guests, underlay, MiB in a TCP flow
while read -r guests underlay MIB; do
	guests "$guests"
	underlay "$underlay"
	all_flows h1a h2a "bridge to bridge"
	all_flows h1a p2 "bridge to AF_PACKET"
	all_flows p1 t2 "AF_PACKET to TAP"
	stream_of "TAP to bridge, TCP by IPv6" t2 h1a fd00::11 "$MIB"
	stream_of "access port to trunk, TCP in a VLAN" x1 h2a 10.10.0.21 "$MIB"
	stream_of "trunk to access port, TCP in a VLAN" p2 x1 10.10.0.71 "$MIB"
	stream_of "TAP to AF_PACKET on one host, TCP by IPv4" t2 p2 10.0.0.52 "$MIB"
	datagrams_of "AF_PACKET to bridge on one host, UDP in trains of 16" p2 h2a 10.0.0.21 16
done <<'CASES'
on on 50
strict on 8
strict off 8
off off 8
CASES
datagrams_of "bridge to bridge, UDP one by one" h2a h1a 10.0.0.11 1
finish
