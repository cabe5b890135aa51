#!/bin/bash
# path-mtu.sh [4|6] - a path that shrinks and grows in mid-flow, with ICMP and without
#
#   h1 (h1a) -- r1 ======== r2 -- h2 (h2a)      routers; `middle` is the link between them
#   ctl -------/
#
# Hosts are all on subnets of their own, behind gateways 169.254.0.1 and fe80::1.  A larger size is tried 5 s after a path
# fell and then once a minute, so that a path's growth may take a minute to be found here.
# shellcheck source-path=SCRIPTDIR
UNDERLAY=${1:-4}
. "$(dirname "$0")/lib.sh"

FLOWS=$ROOT/tests/e2e/flows.py
LIMIT_MS=$(limit_ms 2000)

underlay_up() {
	local router other
	space_add r1 r2
	must in_ip r1 link add middle mtu "$UNDERLAY_MTU" type veth peer name middle mtu "$UNDERLAY_MTU" netns "$PREFIX-r2"
	for router in r1 r2; do
		must on $router sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
		# a bad day's worth of "too big" within a test, not one a second
		must on $router sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
		must in_ip $router link set middle up
		must in_ip $router addr add "10.255.0.${router#r}/24" dev middle
		must in_ip $router addr add "fe80::1${router#r}/64" dev middle
		if [ $router = r1 ]; then other=2; else other=1; fi
		must in_ip $router route add default via 10.255.0.$other dev middle
		must in_ip $router -6 route add default via fe80::1$other dev middle
	done
}

router_of() { if [ "$1" = h2 ]; then echo r2; else echo r1; fi; }

plug() { # NAME N
	local router
	router=$(router_of "$1")
	must in_ip "$router" link add "to-$1" mtu "$UNDERLAY_MTU" type veth peer name up0 mtu "$UNDERLAY_MTU" netns "$PREFIX-$1"
	must in_ip "$router" link set "to-$1" up
	must in_ip "$router" addr add 169.254.0.1/32 dev "to-$1"
	must in_ip "$router" addr add fe80::1/64 dev "to-$1" nodad
	must in_ip "$1" link set up0 up
	if [ "$UNDERLAY" = 6 ]; then
		must in_ip "$router" route add "$(address "$2")/128" dev "to-$1"
		must in_ip "$1" addr add "$(address "$2")/128" dev up0
		must in_ip "$1" -6 route add default via fe80::1 dev up0
	else
		must in_ip "$router" route add "$(address "$2")/32" dev "to-$1"
		must in_ip "$1" addr add "$(address "$2")/32" dev up0
		must in_ip "$1" route add default via 169.254.0.1 dev up0 onlink
	fi
}

# offloads would let super-packets pass whole that a link's MTU should stop
plain_links() {
	local end
	for end in h1:up0 h2:up0 r1:to-h1 r2:to-h2 r1:middle r2:middle; do
		on "${end%:*}" ethtool -K "${end#*:}" tso off gso off gro off tx-udp-segmentation off >/dev/null 2>&1
	done
}

middle() { # MTU: lowered where packets enter first, raised where they leave first
	must in_ip r1 link set middle mtu "$1"
	must in_ip r2 link set middle mtu "$1"
}

icmp() { # on|off: what the routers tell of packets that are too big
	local router
	for router in r1 r2; do
		on $router nft delete table inet silent 2>/dev/null
		[ "$1" = on ] || must on $router nft "table inet silent { chain out { type filter hook output priority 0;
			icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }"
	done
}

path_mtu() { agent_status "$1" | jq '.peers[0].path_mtu // 0'; }
mtu_is() { # MTU: both ends know it; the search by halves ends a few bytes below
	local host got
	for host in h1 h2; do
		got=$(path_mtu $host)
		[ "$got" -le "$1" ] && [ "$got" -gt $(($1 - 9)) ] || return 1
	done
}

# begin: full frames both ways, and a TCP flow, until goes_on
begin() {
	listen h1a
	listen h2a
	stream h1a 52:54:00:00:00:21 --count 0 --rate 300 --size 1514
	stream h2a 52:54:00:00:00:11 --count 0 --rate 300 --size 1514
	spawn iperf3 h2a iperf3 -s -1
	must wait_until 5 on h2a sh -c 'ss -Hltn sport = :5201 | grep -q .'
	ip netns exec "$PREFIX-h1a" iperf3 -c 10.0.0.21 -t 120 -b 40M -i 0.5 --forceflush >"$WORK/tcp" 2>&1 </dev/null &
	PIDS[tcp]=$!
	flowing h2a 500
}

# goes_on TEXT
goes_on() {
	local vm
	flowing h2a 500
	stop tcp INT
	stop send-h1a
	stop send-h2a
	for vm in h1a h2a; do
		listened $vm
		[ "$(heard gap_ms)" -le $LIMIT_MS ] && [ "$(heard received)" -gt 500 ] && [ "$(heard corrupt)" = 0 ]
		verdict $? "$1: $vm hears full frames after at most $(heard gap_ms) ms" "$HEARD"
	done
	silent=$(awk '/ 0\.00 bits\/sec/ {n++; if (n > most) most = n} / bits\/sec/ && !/ 0\.00 bits\/sec/ {n = 0} END {print most + 0}' "$WORK/tcp")
	[ "$silent" -le 3 ]
	verdict $? "$1: TCP goes on, after at most $((silent * 500)) ms without a byte" "$(cat "$WORK/tcp")"
	stop iperf3
}

# changes TEXT MTU SECONDS COMMAND...: in mid-flow
changes() {
	local text=$1 mtu=$2 seconds=$3
	shift 3
	begin
	"$@"
	within "$seconds" "$text: path_mtu is $mtu" mtu_is "$mtu"
	say "h1 says $(path_mtu h1), h2 says $(path_mtu h2)"
	goes_on "$text"
}

ends() { # MTU
	local host
	for host in h1 h2; do
		must in_ip "$(router_of $host)" link set "to-$host" mtu "$1"
		must in_ip $host link set up0 mtu "$1"
	done
}

blocked_shrink() {
	icmp off
	middle "$1"
}
jumbo() {
	middle 9000
	ends 9000
}

fabric_up 2
plain_links
within 5 "at first path_mtu is 1500" mtu_is 1500
changes "1400 in the middle, ICMP says so" 1400 3 middle 1400
changes "1350 in the middle, ICMP is blocked" 1350 4 blocked_shrink 1350
changes "1500 again" 1500 65 middle 1500
changes "1280 in the middle, ICMP is blocked" 1280 4 middle 1280
icmp on
changes "9000 all the way" 9000 15 jumbo
changes "the hosts' own links shrink to 1500" 1500 4 ends 1500

# tool VM COMMAND: flows.py in the background; its report is the last line of $WORK/COMMAND-VM
tool() {
	rm -f "$WORK/$2-$1"
	ip netns exec "$PREFIX-$1" "$FLOWS" "$2" >"$WORK/$2-$1" 2>"$LOGS/$2-$1.log" </dev/null &
	PIDS["$2-$1"]=$!
	wait_until 10 test -s "$WORK/$2-$1" || bail "flows.py $2 does not start on $1"
}

# carries TEXT FROM TO ADDRESS SIZES: a TCP flow whole, and the SYNs at TO with one of these MSS
carries() {
	local sent seen
	tool "$3" serve
	tool "$3" checksums
	sent=$(on "$2" "$FLOWS" send "$4" --mib 8)
	ended "serve-$3"
	stop "checksums-$3"
	equal "$1: TCP as it was sent" "$(jq .sha256 <<<"$sent")" "$(tail -n 1 "$WORK/serve-$3" | jq .sha256)"
	seen=$(tail -n 1 "$WORK/checksums-$3" | jq -c .mss)
	equal "$1: the SYN has an MSS of $seen" "[$5]" "$seen"
}

# fitting BYTES-OF-IP-AND-TCP: the MSS that one datagram takes: less IP, UDP, GRE, tag, record's header, Ethernet
fitting() {
	local underlay_ip=20
	[ "$UNDERLAY" = 6 ] && underlay_ip=40
	echo $((1500 - underlay_ip - 8 - 12 - 16 - 4 - 14 - $1))
}

guests_mtu() { # MTU: of the VMs, their links and the bridges
	local host
	for host in h1 h2; do
		must in_ip $host link set br-lab mtu "$1"
		must in_ip $host link set "vm-${host}a" mtu "$1"
		must in_ip "${host}a" link set eth0 mtu "$1"
	done
}

# ---- guests' own sizes, over 1500 bytes ----
for host in h1 h2; do must on ${host}a ethtool -K eth0 tso off; done
carries "guests without TSO" h1a h2a 10.0.0.21 "$(fitting 40)"
carries "guests without TSO, by IPv6" h1a h2a fd00::21 "$(fitting 60)"

sed -i 's/mtu: 1500/mtu: 9000/' "$WORK/lab.yaml"
must apply "$WORK/lab.yaml"
guests_mtu 9000
must wait_until 10 ping_once h1a 10.0.0.21
check "guests of MTU 9000: full packets by IPv4" reaches h1a 10.0.0.21 -M "do" -s 8972
check "guests of MTU 9000: full packets by IPv6" reaches h1a fd00::21 -M "do" -s 8952
carries "guests of MTU 9000 without TSO" h1a h2a 10.0.0.21 "$(fitting 40)"
for host in h1 h2; do must on ${host}a ethtool -K eth0 tso on; done
carries "guests of MTU 9000" h1a h2a fd00::21 "$(fitting 60)"

# ---- a wire changes nothing ----
for host in h1 h2; do
	space_add ${host}w
	must in_ip $host link add wire type veth peer name eth0 netns "$PREFIX-${host}w"
	must in_ip $host link set wire up
	must in_ip ${host}w link set eth0 up
	must in_ip ${host}w addr add "10.1.0.${host#h}/24" dev eth0
	must on ${host}w ethtool -K eth0 tso off
done
printf 'lab: wire\nwires:\n  cable: [ { host: h1, attach: "packet:wire" }, { host: h2, attach: "packet:wire" } ]\n' >"$WORK/wire.yaml"
must apply "$WORK/wire.yaml"
must wait_until 10 ping_once h1w 10.1.0.2
carries "a wire, guests without TSO" h1w h2w 10.1.0.2 1460

for host in h1 h2; do
	equal "$host dropped nothing as damaged" 0 "$(drops $host not-authentic fragment-bad segment-offload)"
done
finish
