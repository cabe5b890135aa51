# shellcheck shell=bash
# lib.sh - a fabric on one machine, for the end-to-end tests and the demo; source it
#
#          ctl (weft-controller)      h1 (weftd)              h2 (weftd)            h3 ...
#           | up0 .100                 | up0 .1                | up0 .2              |
#   --------+--------------------------+----- net: bridge ul --+---------------------+---
#             underlay, IPv4 192.0.2.0/24 or IPv6 2001:db8::/64, MTU $UNDERLAY_MTU
#
#                   each host:   up0   [weftd] -- wfN (TAP) -- br-lab -- veth -- eth0 of VM h1a
#                                                                     \- veth -- eth0 of VM h1b
#
# Every box is a network namespace named weft<pid>-<box>.  VM h2b has 10.0.0.22, fd00::22 and 52:54:00:00:00:22.
# Results are lines of the Test Anything Protocol; `finish` prints the plan, so a script that dies early is noticed.
# Everything made here goes away in the EXIT trap, by our own process ids and namespaces; daemons' logs stay in $LOGS.
set -u

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${WEFT_BUILD:-$ROOT/build}
TEST=$(basename "$0" .sh)${1:+-$1}
LOGS=${WEFT_LOGS:-$ROOT/build/check/$TEST}
UNDERLAY=${UNDERLAY:-4} # which IP version the hosts' tunnels use
UNDERLAY_MTU=${UNDERLAY_MTU:-1500}
# shellcheck disable=SC2034
TOOLS=$BUILD/tests/tools # what `make test-tools` builds
FRAMES=$ROOT/tests/e2e/frames.py
PREFIX=weft$$
WORK=$(mktemp -d "/tmp/$PREFIX.XXXXXX")
WEFTD_ARGS=() # more arguments for every weftd started from now on

declare -A PIDS=() # by name: what `spawn` started and `stop` has not ended yet
declare -a SPACES=()
results=0
failures=0

[ "$(id -u)" -eq 0 ] || { echo "Bail out! $TEST needs root, for network namespaces" && exit 1; }
rm -rf "$LOGS"
mkdir -p "$LOGS"

# ---- results -------------------------------------------------------------------------------------------------

ok() {
	results=$((results + 1))
	echo "ok $results - $1"
}

# not_ok TEXT [DETAIL]
not_ok() {
	results=$((results + 1))
	failures=$((failures + 1))
	echo "not ok $results - $1"
	[ -z "${2:-}" ] || head -n 20 <<<"$2" | sed 's/^/#   /'
}

# verdict STATUS TEXT DETAIL: ok where STATUS, such as $?, is 0
verdict() {
	if [ "$1" -eq 0 ]; then ok "$2"; else not_ok "$2" "${3:-}"; fi
}

# check TEXT COMMAND...: ok where the command succeeds
check() {
	local text=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$text"; else not_ok "$text" "$* -> $output"; fi
}

# refuse TEXT PATTERN COMMAND...: ok where the command fails and says something that matches PATTERN
refuse() {
	local text=$1 pattern=$2 output
	shift 2
	if output=$("$@" 2>&1); then
		not_ok "$text" "$* succeeded: $output"
	elif ! grep -qiE -- "$pattern" <<<"$output"; then
		not_ok "$text" "$* said: $output"
	else
		ok "$text: $(grep -iE -m 1 -- "$pattern" <<<"$output")"
	fi
}

# equal TEXT EXPECTED GOT
equal() {
	if [ "$2" = "$3" ]; then ok "$1"; else not_ok "$1" "expected $2, got $3"; fi
}

say() { echo "# $*"; }

bail() {
	not_ok "$*"
	exit 1
}

# must COMMAND...: part of the set-up; a failure ends the test
must() {
	local output
	output=$("$@" 2>&1) || bail "set-up: $*: $output"
}

finish() {
	echo "1..$results"
	exit $((failures > 0))
}

# ---- waiting -------------------------------------------------------------------------------------------------

now_ms() { echo $((${EPOCHREALTIME/./} / 1000)); }

# Limits are written for a machine of REFERENCE_MS that has time.  SLOWER is how many times longer this one takes now, loaded or
# emulated as it may be: measured by starting a program of ours that does nothing, and never below 1.
REFERENCE_STARTS=20
REFERENCE_MS=200 # for so many
measure_slower() {
	local i start took_ms
	start=$(now_ms)
	for ((i = 0; i < REFERENCE_STARTS; i++)); do "$BUILD/weft" --help >/dev/null; done
	took_ms=$(($(now_ms) - start))
	SLOWER=$(((took_ms + REFERENCE_MS - 1) / REFERENCE_MS))
	[ $SLOWER -ge 1 ] || SLOWER=1
	[ $SLOWER -eq 1 ] || say "limits are $SLOWER times as long: this machine took $took_ms ms for what takes $REFERENCE_MS"
}
[ -n "${SLOWER:-}" ] || measure_slower
export SLOWER # what a script starts need not measure again

# limit_ms MILLISECONDS: how long something that takes so long at most may take here
limit_ms() { echo $(($1 * SLOWER)); }

# wait_until SECONDS COMMAND...: polls until it succeeds; WAITED_MS tells how long that took
wait_until() {
	local limit_ms=$((${1%.*} * 1000 * SLOWER)) start
	start=$(now_ms)
	shift
	until "$@" >/dev/null 2>&1; do
		WAITED_MS=$(($(now_ms) - start))
		[ $WAITED_MS -lt $limit_ms ] || return 1
		sleep 0.05
	done
	WAITED_MS=$(($(now_ms) - start))
}

# within SECONDS TEXT COMMAND...
within() {
	local limit=$1 text=$2
	shift 2
	if wait_until "$limit" "$@"; then
		ok "$text (after $WAITED_MS ms)"
	else
		not_ok "$text" "not within $limit s: $*"
	fi
}

# ---- namespaces and processes --------------------------------------------------------------------------------

space_add() { # NAME...
	local name
	for name in "$@"; do
		must ip netns add "$PREFIX-$name"
		SPACES+=("$PREFIX-$name")
		must on "$name" sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0 \
			net.ipv6.conf.default.router_solicitations=0
		must in_ip "$name" link set lo up
	done
}

# on NAME COMMAND...: in that namespace
on() {
	local name=$1
	shift
	ip netns exec "$PREFIX-$name" "$@"
}

# in_ip NAME ARGUMENTS...: iproute2 in that namespace
in_ip() {
	local name=$1
	shift
	ip -n "$PREFIX-$name" "$@"
}

# spawn NAME SPACE COMMAND...: in the background, output appended to $LOGS/NAME.log
spawn() {
	local name=$1 space=$2
	shift 2
	ip netns exec "$PREFIX-$space" "$@" >>"$LOGS/$name.log" 2>&1 </dev/null &
	PIDS[$name]=$!
}

running() { [ -n "${PIDS[$1]:-}" ] && kill -0 "${PIDS[$1]}" 2>/dev/null; }

# stop NAME [SIGNAL]: ends it and waits for it; its exit status is returned
stop() {
	local pid=${PIDS[$1]:-} signal=${2:-TERM} status=0
	[ -n "$pid" ] || return 0
	{ # the shell would tell of each that was killed
		kill "-$signal" "$pid"
		wait_until 10 gone "$pid" || kill -KILL "$pid"
		wait "$pid"
		status=$?
	} 2>/dev/null
	unset "PIDS[$1]"
	return $status
}

# ended NAME: waits until it has ended by itself; its exit status is returned
ended() {
	local pid=${PIDS[$1]}
	wait "$pid"
	local status=$?
	unset "PIDS[$1]"
	return $status
}

# a zombie is gone as well; `wait` reaps it
gone() {
	local state
	state=$(sed -n 's/^State:[[:space:]]*\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null)
	[ -z "$state" ] || [ "$state" = Z ]
}

rss_kib() { awk '/^VmRSS/ {print $2}' "/proc/${PIDS[$1]}/status"; }

# what daemons make outside their namespaces they should take away themselves, so they are asked first
clean_up() {
	local space pid
	trap '' INT TERM HUP
	exec 2>/dev/null # the shell would tell of each that is killed
	for pid in "${PIDS[@]}"; do kill -TERM "$pid"; done
	for pid in "${PIDS[@]}"; do wait_until 3 gone "$pid"; done
	for space in "${SPACES[@]}"; do
		for pid in $(ip netns pids "$space"); do kill -KILL "$pid"; done
	done
	wait
	for space in "${SPACES[@]}"; do
		ip netns del "$space"
		rm -rf "/etc/netns/$space"
	done
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT TERM HUP

# ---- the underlay, the controller, the hosts -----------------------------------------------------------------

# address N: the N-th address of the underlay
address() { if [ "$UNDERLAY" = 6 ]; then echo "2001:db8::$1"; else echo "192.0.2.$1"; fi; }
# with_port ADDRESS PORT
with_port() { case $1 in *:*) echo "[$1]:$2" ;; *) echo "$1:$2" ;; esac; }
prefix_bytes() { if [ "$UNDERLAY" = 6 ]; then echo 64; else echo 24; fi; }

# bridges_unfiltered SPACE: no iptables rule of the machine concerns frames inside a bridge.  The switches exist only
# while br_netfilter is loaded; where it is not, there is nothing to switch off.
bridges_unfiltered() {
	local name
	for name in iptables ip6tables arptables; do
		[ ! -e /proc/sys/net/bridge/bridge-nf-call-$name ] || must on "$1" sysctl -qw net.bridge.bridge-nf-call-$name=0
	done
}

underlay_up() {
	space_add net
	bridges_unfiltered net
	must in_ip net link add ul type bridge mcast_snooping 0
	must in_ip net link set ul mtu "$UNDERLAY_MTU" up
}

# plug NAME N: joins the namespace to the underlay as its N-th address
plug() {
	must in_ip net link add "to-$1" mtu "$UNDERLAY_MTU" type veth peer name up0 mtu "$UNDERLAY_MTU" netns "$PREFIX-$1"
	must in_ip net link set "to-$1" master ul up
	must in_ip "$1" link set up0 up
	must in_ip "$1" addr add "$(address "$2")/$(prefix_bytes)" dev up0
}

# controller_up [WEFT INIT ARGUMENTS...]
# shellcheck disable=SC2120
controller_up() {
	space_add ctl
	plug ctl 100
	must on ctl "$BUILD/weft" init --name e2e --listen "$(with_port "$(address 100)" 4753)" --state "$WORK/ctl" "$@"
	controller_start
}

controller_start() {
	spawn controller ctl "$BUILD/weft-controller" --state "$WORK/ctl"
	wait_until 10 operator get hosts || bail "the controller does not answer: $(tail -n 3 "$LOGS/controller.log")"
}

# operator COMMAND...: weft as the operator on the controller's machine
operator() {
	local command=$1
	shift
	on ctl "$BUILD/weft" "$command" "$@" --state "$WORK/ctl"
}

# host_add NAME N: a host on the underlay with a bridge for its VMs; weftd is not started
host_add() {
	space_add "$1"
	plug "$1" "$2"
	bridges_unfiltered "$1"
	bridge_add "$1" br-lab
}

bridge_add() { # HOST BRIDGE
	must in_ip "$1" link add "$2" type bridge
	must in_ip "$1" link set "$2" up
}

# enrol HOST [JOIN ARGUMENTS...]: a token and a join
enrol() {
	local host=$1 token
	shift
	token=$(operator token "$host") || bail "weft token $host: $token"
	must on "$host" "$BUILD/weft" join "$token" --state "$WORK/$host" "$@"
}

agent_start() { # HOST...
	local host
	for host in "$@"; do
		spawn "$host" "$host" "$BUILD/weftd" --state "$WORK/$host" "${WEFTD_ARGS[@]}"
	done
}

agent_status() { on "$1" "$BUILD/weft" status --json --state "$WORK/$1"; }

# drops HOST NAME...: the sum of the host's drop counters of these names
drops() {
	local host=$1
	shift
	agent_status "$host" | jq -r '[.drops[$ARGS.positional[]] // 0] | add' --args "$@"
}

# vm_add HOST VM LAST [BRIDGE]: a VM behind the host's bridge with 10.0.0.LAST, fd00::LAST and MAC ...:LAST
vm_add() {
	local host=$1 vm=$2 last=$3 bridge=${4:-br-lab}
	space_add "$vm"
	must in_ip "$host" link add "vm-$vm" type veth peer name eth0 address "52:54:00:00:00:$last" netns "$PREFIX-$vm"
	must in_ip "$host" link set "vm-$vm" master "$bridge" up
	must in_ip "$vm" link set eth0 up
	must in_ip "$vm" addr add "10.0.0.$last/24" dev eth0
	must in_ip "$vm" addr add "fd00::$last/64" dev eth0 nodad
}

# lab NAME HOST...: a lab file of one network "mgmt" that joins the hosts' br-lab
lab() {
	local name=$1 host
	shift
	printf 'lab: %s\nnetworks:\n  mgmt: { mtu: 1500 }\nports:\n' "$name"
	for host in "$@"; do
		printf '  %s-lan: { host: %s, network: mgmt, attach: "bridge:br-lab" }\n' "$host" "$host"
	done
}

# apply FILE: it waits until all is up
apply() { operator apply "$1"; }

# fabric_up N [JOIN ARGUMENTS...]: underlay, controller and hosts h1..hN, each with VMs hIa and hIb and a running weftd; the
# lab "lab" joins them all
fabric_up() {
	local count=$1 i
	shift
	fabric_without_lab "$count" "$@"
	for ((i = 1; i <= count; i++)); do agent_start "h$i"; done
	# shellcheck disable=SC2046
	lab lab $(hosts_up_to "$count") >"$WORK/lab.yaml"
	must apply "$WORK/lab.yaml"
	for ((i = 2; i <= count; i++)); do
		wait_until 10 ping_once h1a "10.0.0.${i}1" || bail "h1a does not reach h${i}a"
	done
}

fabric_without_lab() {
	local count=$1 i
	shift
	underlay_up
	controller_up
	for ((i = 1; i <= count; i++)); do
		host_add "h$i" "$i"
		enrol "h$i" "$@"
		vm_add "h$i" "h${i}a" "${i}1"
		vm_add "h$i" "h${i}b" "${i}2"
	done
}

hosts_up_to() { seq -f 'h%g' 1 "$1"; }

# ---- traffic -------------------------------------------------------------------------------------------------

# ping_once VM ADDRESS
ping_once() { on "$1" ping -n -q -c 1 -W "$((3 * SLOWER / 10)).$((3 * SLOWER % 10))" "$2"; }

# reaches VM ADDRESS [PING ARGUMENTS...]: five of five answered
reaches() {
	local vm=$1 to=$2
	shift 2
	on "$vm" ping -n -q -c 5 -i 0.02 -W "$((2 * SLOWER))" "$@" "$to"
}

# listen VM [ARGUMENTS...]: frames.py recv in the background, until listened VM, which sets HEARD to its report
listen() {
	local vm=$1
	shift
	rm -f "$WORK/recv-$vm" # the last one's "ready"
	ip netns exec "$PREFIX-$vm" "$FRAMES" recv "$@" >"$WORK/recv-$vm" 2>>"$LOGS/recv-$vm.log" </dev/null &
	PIDS["recv-$vm"]=$!
	wait_until 10 test -s "$WORK/recv-$vm" || bail "frames.py does not start on $vm"
}

listened() {
	stop "recv-$1" TERM
	HEARD=$(tail -n 1 "$WORK/recv-$1")
}

# stream FROM TO-MAC [ARGUMENTS...]: frames.py send in the background, until `ended send-FROM`
stream() {
	local from=$1 to=$2
	shift 2
	spawn "send-$from" "$from" "$FRAMES" send --to "$to" "$@"
}

rx_packets() { in_ip "$1" -j -s link show eth0 | jq '.[0].stats64.rx.packets'; }
rx_past() { [ "$(rx_packets "$1")" -gt "$2" ]; }

# flowing VM [PACKETS]: waits until so many more packets have come in
flowing() { wait_until 10 rx_past "$1" $(($(rx_packets "$1") + ${2:-200})) || bail "no traffic arrives at $1"; }

# heard FIELD [STREAM]: a figure out of HEARD
heard() { jq -r --arg stream "${2:-1}" --arg field "$1" '.streams[$stream][$field] // 0' <<<"$HEARD"; }
