# shellcheck shell=bash
# lib.sh - two hosts on one machine, and what runs on them; source it
#
#     host A 192.168.77.1                              host B 192.168.77.2
#       uA ------------- veth: the underlay -------------- uB
#       ov 10.99.0.1 .... the system under test .......... ov 10.99.0.2
#
# Each host is a network namespace, bench<pid>-A and bench<pid>-B; what joins `ov` of one with `ov` of the other is
# systems.sh's.  Everything made here is ended and removed by our own process ids and names: hosts_down, which the
# scripts that source this call from their EXIT trap.
set -u

PREFIX=bench$$
WORK=$(mktemp -d "/tmp/$PREFIX.XXXXXX")
DAEMONS=() # process ids of the system under test: their memory and processor time are measured
HELPERS=() # of all else that was started: controllers, iperf3 servers
CURRENT=   # of what `attend` waits for

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# wait_until SECONDS COMMAND...: polls until it succeeds
wait_until() {
	local end=$(($(now_ms) + $1 * 1000))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt $end ] || return 1
		sleep 0.05
	done
}

# on HOST COMMAND...; net HOST ARGUMENTS OF IP...
on() {
	local host=$1
	shift
	ip netns exec "$PREFIX-$host" "$@"
}
net() {
	local host=$1
	shift
	ip -n "$PREFIX-$host" "$@"
}

# start HOST COMMAND...: in the background, output to $WORK/log-HOST; its process id is $STARTED
start() {
	local host=$1
	shift
	ip netns exec "$PREFIX-$host" "$@" >>"$WORK/log-$host" 2>&1 </dev/null &
	STARTED=$!
}
daemon() { start "$@" && DAEMONS+=("$STARTED"); }
helper() { start "$@" && HELPERS+=("$STARTED"); }

# attend COMMAND...: runs it to its end; unlike a command in the foreground it does not keep a signal's trap waiting
attend() {
	local status
	"$@" </dev/null &
	CURRENT=$!
	wait "$CURRENT"
	status=$?
	CURRENT=
	return $status
}

# end PID: gently, then not
end() {
	{
		kill "$1"
		wait_until 3 gone "$1" || kill -KILL "$1"
		wait "$1"
	} 2>/dev/null
}
gone() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

# hosts_up MTU on|off: the underlay's MTU and offloads.  With offloads a veth link hands trains and super-packets across
# whole; without them every datagram is a packet of its own
hosts_up() {
	local host
	hosts_down
	for host in A B; do
		ip netns add "$PREFIX-$host" || return 1
		net $host link set lo up
		on $host sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
		: >"$WORK/log-$host"
	done
	net A link add uA type veth peer name uB netns "$PREFIX-B"
	net A addr add 192.168.77.1/24 dev uA
	net B addr add 192.168.77.2/24 dev uB
	for host in A B; do
		net $host link set "u$host" mtu "$1" up
		[ "$2" = on ] ||
			on $host ethtool -K "u$host" tso off gso off gro off tx-udp-segmentation off >/dev/null
	done
}

# loss PERCENT: from now on each host loses so many of the packets that come in from the underlay, by chance
loss() {
	local host
	[ "$1" = 0 ] && return
	for host in A B; do
		on $host nft -f - <<NFT
table ip bench {
	chain lossy {
		type filter hook prerouting priority raw;
		iifname "u$host" numgen random mod 100000 < $(awk "BEGIN {print $1 * 1000}") drop
	}
}
NFT
	done
}

hosts_down() {
	local pid host
	for pid in "${DAEMONS[@]}" "${HELPERS[@]}" $CURRENT; do end "$pid"; done
	DAEMONS=()
	HELPERS=()
	for host in A B; do
		for pid in $(ip netns pids "$PREFIX-$host" 2>/dev/null); do kill -KILL "$pid" 2>/dev/null; done
		ip netns del "$PREFIX-$host" 2>/dev/null
	done
	true
}

# address DEVICE [MTU]: gives the device under test its address on both hosts
address() {
	local end host
	for end in A:1 B:2; do
		host=${end%:*}
		wait_until 10 net "$host" link show "$1" || return 1
		net "$host" addr replace "10.99.0.${end#*:}/24" dev "$1"
		net "$host" link set "$1" up ${2:+mtu "$2"}
	done
}

reached() { on A ping -n -q -c 1 -W 0.3 10.99.0.2; }
