#!/bin/bash
# What a guest's own device may leave undone: tunnels, super-frames over 64 KiB, SCTP's checksum.
#
#   h1: pa (VM p1), pc (VM p3)      ---- net ----      h2: pb (VM p2)      all AF_PACKET ports of one network
#
# p1 sends by each kind of tunnel to p2, over the fabric, and to p3, from port to port; the guests' offloads are all on.  Where the
# kernel lacks a kind of tunnel, tunnel.c makes the same super-frames of it by eBPF.  Nothing may be lost under any name.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

FLOWS=$ROOT/tests/e2e/flows.py
declare -A LAST=([p1]=51 [p2]=52 [p3]=53)
MIB=${MIB:-8}

# end_add HOST VM DEVICE: a VM whose link is DEVICE on the host, in no bridge
end_add() {
	space_add "$2"
	must in_ip "$1" link add "$3" type veth peer name eth0 netns "$PREFIX-$2"
	must in_ip "$1" link set "$3" up
	must in_ip "$2" link set eth0 up
	must in_ip "$2" addr add "10.0.0.${LAST[$2]}/24" dev eth0
	must in_ip "$2" addr add "fd00::${LAST[$2]}/64" dev eth0 nodad
}

# device_add VM KIND TO: t0 with 10.7.0.LAST and fd07::LAST that leads to the VM named TO
# shellcheck disable=SC2086
device_add() {
	local vm=$1 to=${LAST[$3]} arguments type=$2
	local v4="local 10.0.0.${LAST[$1]} remote 10.0.0.$to" v6="local fd00::${LAST[$1]} remote fd00::$to"
	case $2 in
	vxlan) arguments="id 7 dstport 4789 $v4" ;;
	vxlan-sum) arguments="id 7 dstport 8472 udpcsum $v4" type=vxlan ;;
	vxlan-6) arguments="id 7 dstport 4789 $v6" type=vxlan ;;
	geneve) arguments="id 7 remote 10.0.0.$to" ;;
	geneve-6) arguments="id 7 remote fd00::$to" type=geneve ;;
	gre-sum) arguments="csum $v4" type=gretap ;;
	sit) arguments="mode any $v4" ;;
	gre | gretap | ipip) arguments=$v4 ;;
	ip6gre | ip6gretap) arguments=$v6 ;;
	ip6tnl) arguments="mode any $v6" ;;
	esac
	in_ip "$vm" link add t0 type $type $arguments 2>/dev/null || return 1
	must in_ip "$vm" link set t0 up
	[ "$2" = sit ] || must in_ip "$vm" addr add "10.7.0.${LAST[$vm]}/24" dev t0
	in_ip "$vm" addr add "fd07::${LAST[$vm]}/64" dev t0 nodad 2>/dev/null
	return 0
}

device_remove() { in_ip "$1" link del t0 2>/dev/null; }

# program_add VM KIND, program_remove VM
program_add() {
	must on "$1" tc qdisc add dev eth0 clsact
	must on "$1" tc filter add dev eth0 egress bpf da obj "$WORK/$2.o" sec out
	must on "$1" tc filter add dev eth0 ingress bpf da obj "$WORK/$2.o" sec in
	must in_ip "$1" route replace 10.0.0.0/24 dev eth0 src "10.0.0.${LAST[$1]}" advmss 1360
	must in_ip "$1" route replace fd00::/64 dev eth0 metric 1 advmss 1360
}

program_remove() {
	on "$1" tc qdisc del dev eth0 clsact 2>/dev/null
	in_ip "$1" route replace 10.0.0.0/24 dev eth0 src "10.0.0.${LAST[$1]}"
	in_ip "$1" route del fd00::/64 dev eth0 metric 1
}

bad_sums() { on "$1" nstat -asz TcpInCsumErrors UdpInCsumErrors | awk '/Csum/ { n += $2 } END { print n + 0 }'; }
segments_of() { on "$1" nstat -asz TcpExtTCPFastRetrans TcpRetransSegs | awk '/Retrans/ { n += $2 } END { print n + 0 }'; }

# stream TEXT FROM TO ADDRESS MIB: TCP, by its bytes, its checksums and what was sent again; SECONDS_TAKEN says how long it took
stream_of() {
	local text=$1 from=$2 to=$3 sent got before
	before=$(bad_sums "$to")
	rm -f "$WORK/serve-$to"
	ip netns exec "$PREFIX-$to" "$FLOWS" serve --patience 8 >"$WORK/serve-$to" 2>"$LOGS/serve-$to.log" </dev/null &
	PIDS["serve-$to"]=$!
	wait_until 10 test -s "$WORK/serve-$to" || bail "flows.py serve does not start on $to"
	sent=$(on "$from" "$FLOWS" send "$4" --patience 8 --mib "$5" 2>&1)
	ended "serve-$to" 2>/dev/null
	got=$(tail -n 1 "$WORK/serve-$to")
	SECONDS_TAKEN=$(jq .seconds <<<"$sent" 2>/dev/null || echo 99)
	[ "$(jq -c '[.bytes, .sha256]' <<<"$sent" 2>&1)" = "$(jq -c '[.bytes, .sha256]' <<<"$got" 2>&1)" ] &&
		[ "$(bad_sums "$to")" = "$before" ]
	verdict $? "$text, $5 MiB as they were sent, in $SECONDS_TAKEN s" "sent $sent, got $got, $(bad_sums "$to") bad checksums"
}

# tunnel KIND: from p1 to p2 and to p3; by a device, or by eBPF
tunnel() {
	local kind=$1 to version=4
	[ "$kind" != sit ] || version=6
	for to in p2 p3; do
		if device_add p1 "$kind" $to; then
			must device_add $to "$kind" p1
			wait_until 5 ping_once p1 "$([ $version = 6 ] && echo "fd07::${LAST[$to]}" || echo "10.7.0.${LAST[$to]}")"
			[ $version = 6 ] || stream_of "$kind to $to" p1 $to "10.7.0.${LAST[$to]}" "$MIB"
			[ $version = 4 ] || stream_of "$kind to $to" p1 $to "fd07::${LAST[$to]}" "$MIB"
			device_remove p1
			device_remove $to
		elif [ -e "$WORK/$kind.o" ]; then
			program_add p1 "$kind"
			program_add $to "$kind"
			stream_of "$kind (eBPF) to $to" p1 $to "$([ $version = 6 ] && echo fd00:: || echo 10.0.0.)${LAST[$to]}" "$MIB"
			program_remove p1
			program_remove $to
		else
			say "this kernel has no $kind"
			return
		fi
	done
}

# lost HOST: what ports and cutting have lost, by name
lost() { agent_status "$1" | jq -c '.drops | with_entries(select((.key | test("^(tap|segment|coalesce|fragment)-")) and .value > 0))'; }

compile() { # KIND NUMBER
	must clang -O2 -target bpf -DTUNNEL="$2" -I"/usr/include/$(gcc -dumpmachine)" -c "$ROOT/tests/e2e/tunnel.c" \
		-o "$WORK/$1.o"
}

compile ipip 1
compile sit 2
compile gre 3
compile gretap 4
fabric_without_lab 2
end_add h1 p1 pa
end_add h2 p2 pb
end_add h1 p3 pc
cat >"$WORK/tunnels.yaml" <<'YAML'
lab: tunnels
networks:
  guests: { mtu: 1500 }
ports:
  a: { host: h1, network: guests, attach: "packet:pa" }
  b: { host: h2, network: guests, attach: "packet:pb" }
  c: { host: h1, network: guests, attach: "packet:pc" }
YAML
agent_start h1 h2
must apply "$WORK/tunnels.yaml"
wait_until 10 ping_once p1 10.0.0.52 || bail "p1 does not reach p2"
wait_until 10 ping_once p1 10.0.0.53 || bail "p1 does not reach p3"

for kind in vxlan vxlan-sum vxlan-6 geneve geneve-6 gretap gre-sum gre ipip sit ip6gretap ip6gre ip6tnl; do tunnel $kind; done
equal "nothing was lost at h1" "{}" "$(lost h1)"
equal "nothing was lost at h2" "{}" "$(lost h2)"

# trains of datagrams (UDP_SEGMENT) in a tunnel
if device_add p1 vxlan p2 && device_add p2 vxlan p1; then
	ip netns exec "$PREFIX-p2" "$FLOWS" collect >"$WORK/collect" 2>"$LOGS/collect.log" </dev/null &
	PIDS[collect]=$!
	wait_until 10 test -s "$WORK/collect" || bail "flows.py collect does not start"
	must on p1 "$FLOWS" scatter 10.7.0.52 --segments 16 --count 4000 --rate 8000
	wait_until 2 ping_once p1 10.7.0.52 # behind them
	stop collect TERM
	check "vxlan, UDP in trains of 16, in order: $(tail -n 1 "$WORK/collect")" \
		jq -e '.corrupt == 0 and .reordered == 0 and .received >= 3950' <<<"$(tail -n 1 "$WORK/collect")"
	device_remove p1
	device_remove p2
fi

# BIG TCP
stream_of "super-frames of 64 KiB" p1 p2 fd00::52 64
normal=$SECONDS_TAKEN
for vm in p1 p3; do must in_ip $vm link set eth0 gso_max_size 500000; done
must in_ip h1 link set pa gso_max_size 500000
ends=("p2 fd00::52" "p3 fd00::53")
if in_ip p1 link set eth0 gso_ipv4_max_size 500000 2>/dev/null && in_ip h1 link set pa gso_ipv4_max_size 500000; then
	ends+=("p2 10.0.0.52")
else
	say "no IPv4 super-frames over 64 KiB: this iproute2 or kernel does not know them"
fi
for end in "${ends[@]}"; do
	stream_of "super-frames of up to 500 KB to $end" p1 "${end% *}" "${end#* }" 64
	check "... at no more than four times the cost" jq -ne "$SECONDS_TAKEN < 4 * $normal + 0.5"
done
equal "nothing was lost at h1" "{}" "$(lost h1)"
equal "nothing was lost at h2" "{}" "$(lost h2)"

# SCTP: its checksum is left to the device too
for to in p2 p3; do
	rm -f "$WORK/chunks" # the last one's "ready"
	ip netns exec "$PREFIX-$to" "$FLOWS" chunks >"$WORK/chunks" 2>"$LOGS/chunks.log" </dev/null &
	PIDS[chunks]=$!
	wait_until 10 test -s "$WORK/chunks" || bail "flows.py chunks does not start on $to"
	must on p1 "$FLOWS" chunk "10.0.0.${LAST[$to]}"
	ended chunks
	equal "SCTP's checksum is a CRC32c at $to" '{"right":1,"wrong":0}' "$(tail -n 1 "$WORK/chunks" | jq -c .)"
done
finish
