#!/bin/bash
# The controller by a DNS name: what happens to resolvers, name servers and addresses is a matter of the next attempt, and of
# several addresses each is tried; meanwhile frames pass by the topology on disk.
#
#   net ---- ctl  .100, ::100 (and ::101 in the end): "ctl.lab"
#        |-- dns  .53, and .54 later: the name server
#        |-- h1 (h1a), h2 (h2a): IPv4 and IPv6
#        |-- h3 (h3a): IPv6 only
#
# Each host has a resolv.conf of its own, mounted over /etc/resolv.conf for its programs alone.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# dual NAME N: its addresses of both families
dual() {
	plug "$1" "$2"
	must in_ip "$1" addr add "2001:db8::$2/64" dev up0 nodad
}

# resolver HOST [ADDRESS]: whom it asks; nobody where that is missing
resolver() { printf '%s' "${2:+nameserver $2
options timeout:1 attempts:1
}" >"$WORK/resolv-$1"; }

# with_resolver HOST COMMAND...: as `on`, with that resolv.conf
with_resolver() {
	local host=$1
	shift
	# shellcheck disable=SC2016
	on "$host" unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$WORK/resolv-$host" "$@"
}

agent_up() {
	local host
	for host in "$@"; do
		# shellcheck disable=SC2016
		spawn "$host" "$host" unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$WORK/resolv-$host" \
			"$BUILD/weftd" --state "$WORK/$host"
	done
}

dns_start() { # ADDRESS
	spawn dns dns dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts --addn-hosts="$WORK/names" \
		--listen-address="$1" --bind-interfaces --user=root --pid-file= --local-ttl=60 --log-facility=-
	wait_until 5 with_resolver ctl getent ahosts ctl.lab || bail "dnsmasq does not answer: $(tail -n 3 "$LOGS/dns.log")"
}

# names ADDRESS...: what ctl.lab is from now on
names() {
	printf '%s ctl.lab\n' "$@" >"$WORK/names"
	[ -z "${PIDS[dns]:-}" ] || kill -HUP "${PIDS[dns]}"
}

connected() { [ "$(agent_status "$1" | jq -r .controller.connected)" = true ]; }
lost() { ! connected "$1"; }
says() { agent_status "$1" | jq -r .controller.state | grep -qF -- "$2"; }

# again TEXT: the controller restarts; h1 comes back to it
again() {
	stop controller
	wait_until 10 lost h1 || bail "h1 does not notice that its controller ended"
	controller_start
	within 12 "$1" connected h1
}

underlay_up
space_add dns ctl
dual dns 53
must in_ip dns addr add 192.0.2.54/24 dev up0
dual ctl 100
names 192.0.2.100 2001:db8::100
resolver ctl 192.0.2.53
dns_start 192.0.2.53,2001:db8::53
must on ctl "$BUILD/weft" init --name e2e --listen "[::]:4753" --address ctl.lab --state "$WORK/ctl"
controller_start
for i in 1 2 3; do
	space_add "h$i"
	if [ $i = 3 ]; then UNDERLAY=6 plug h3 3; else dual "h$i" "$i"; fi
	bridges_unfiltered "h$i"
	bridge_add "h$i" br-lab
	vm_add "h$i" "h${i}a" "${i}1"
	resolver "h$i" 192.0.2.53
done
resolver h3 2001:db8::53

for i in 1 2 3; do
	token=$(operator token "h$i") || bail "weft token: $token"
	check "h$i joins by the controller's name" with_resolver "h$i" "$BUILD/weft" join "$token" --state "$WORK/h$i"
	agent_up "h$i"
	within 10 "h$i connects by the name" connected "h$i"
done
lab lab h1 h2 h3 >"$WORK/lab.yaml"
must apply "$WORK/lab.yaml"
within 10 "IPv6-only h3 reaches h1" ping_once h3a 10.0.0.11

# no resolver at boot
stop h1
resolver h1
agent_up h1
within 10 "with an empty resolv.conf at boot frames pass by the topology on disk" ping_once h1a 10.0.0.21
within 5 "and status says why there is no controller" says h1 "ctl.lab:4753: the name does not resolve: no name server answers"
must kill -HUP "${PIDS[h1]}"
within 5 "after SIGHUP it says so still" says h1 "the name does not resolve"
resolver h1 192.0.2.53
within 10 "once there is a name server it connects by itself" connected h1

# another name server
stop dns
resolver ctl 192.0.2.54
dns_start 192.0.2.54
resolver h1 192.0.2.54
again "after the name server was replaced it is the new one that is asked"

# several addresses, all but one of them dead: refused, without a route, silent
must in_ip h1 route add blackhole 203.0.113.0/24
names 203.0.113.1 2001:db8::100
again "IPv4 has no route: connected by IPv6"
must in_ip h1 route add unreachable 2001:db8:dead::/48
names 192.0.2.99 192.0.2.2 192.0.2.100 2001:db8:dead::1
again "IPv6 has no route, the first IPv4 address is silent, the second refuses: connected by the third"
names 192.0.2.2 2001:db8:dead::1
stop controller
within 10 "where none answers, each is named with its reason" says h1 "192.0.2.2: Connection refused"
agent_status h1 | jq -r .controller.state | sed 's/^/# /'
check "the other one as well" says h1 "2001:db8:dead::1: "

# the same by `weft`
# shellcheck disable=SC2016
refuse "weft says each address and its reason" '192.0.2.2: Connection refused.*2001:db8:dead::1: ' \
	env XDG_CONFIG_HOME="$WORK/none" bash -c 'cp "$1/operator.json" "$2/h1/" && shift 2 && "$@"' sh "$WORK/ctl" "$WORK" \
	ip netns exec "$PREFIX-h1" unshare -m sh -c 'mount --bind "$0" /etc/resolv.conf && exec "$@"' "$WORK/resolv-h1" \
	"$BUILD/weft" get hosts --state "$WORK/h1"

# the host's own address changes: the connection is as dead as the address, and that is noticed at once
names 192.0.2.100
controller_start
within 12 "connected again" connected h1
must in_ip h1 addr del 192.0.2.1/24 dev up0
must in_ip h1 addr add 192.0.2.51/24 dev up0
at_51() { on ctl ss -Htn state established '( sport = :4753 )' | grep -q '192\.0\.2\.51'; }
within 3 "a host whose address changed connects from the new one at once" at_51
finish
