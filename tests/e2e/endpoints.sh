#!/bin/bash
# A host has several addresses, found by itself: peers take the one that works, leave one that dies within 3 s, and meet behind NATs.
#
#   net ---- h1 (h1a): .1 and ::1          net ---- nat1: .50 ---- lan1: 10.9.1.0/24 ---- h3 (h3a): .3, h4 (h4a): .4
#    |  ---- h2 (h2a): .2 and ::2           |  ---- nat2: .60 ---- lan2: 10.9.2.0/24 ---- h5 (h5a): .5
#   ctl: .100 and ::100
#
# h2 gets a DNS name late, which the controller finds in its own /etc/hosts: peers follow what it stands for.
# Only h1 names endpoints, two; h5 does not tell its own address.  h3 and h4 meet by their addresses in the LAN, they and h5 by what
# h1 sees of them; the NATs let only answers in.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

LIMIT_MS=3000

# both HOST N: an IPv6 address on the underlay, too
both() { must in_ip "$1" addr add "2001:db8::$2/64" dev up0 nodad; }

# nat NAME N LAN: a NAT at the underlay's N-th address, with a bridge for its LAN.  A socket inside has one port outside, whoever it
# speaks to, and nothing comes in but from whom it spoke to
nat() {
	space_add "$1"
	plug "$1" "$2"
	must in_ip "$1" link add lan type bridge
	must in_ip "$1" addr add "10.9.$3.1/24" dev lan
	must in_ip "$1" link set lan up
	bridges_unfiltered "$1"
	must on "$1" sysctl -qw net.ipv4.ip_forward=1
	must on "$1" nft -f - <<-EOF
		table ip nat {
			chain out { type nat hook postrouting priority 100;
				oifname "up0" ip saddr 10.9.$3.3 udp sport 4754 snat to 192.0.2.$2:5003
				oifname "up0" ip saddr 10.9.$3.4 udp sport 4754 snat to 192.0.2.$2:5004
				oifname "up0" ip saddr 10.9.$3.5 udp sport 4754 snat to 192.0.2.$2:5005
				oifname "up0" masquerade; }
			chain through { type filter hook forward priority 0; policy accept;
				iifname "up0" ct state new counter drop; }
			chain to_itself { type filter hook input priority 0; policy accept; iifname "up0" ct state new counter drop; }
		}
	EOF
}

# behind HOST NAT LAN N: a host in a NAT's LAN
behind() {
	space_add "$1"
	must in_ip "$2" link add "to-$1" type veth peer name up0 netns "$PREFIX-$1"
	must in_ip "$2" link set "to-$1" master lan up
	must in_ip "$1" link set up0 up
	must in_ip "$1" addr add "10.9.$3.$4/24" dev up0
	must in_ip "$1" route add default via "10.9.$3.1"
	bridges_unfiltered "$1"
	bridge_add "$1" br-lab
}

at() { agent_status "$1" | jq -r --arg peer "$2" '.peers[] | select(.host == $peer) | .endpoint'; }
is_at() { [ "$(at "$1" "$2")" = "$3" ]; }
up() { agent_status "$1" | jq -e --arg peer "$2" '.peers[] | select(.host == $peer) | .state == "up"'; }
endpoints() { operator get hosts --json | jq -r --arg host "$1" '.items[] | select(.name == $host) | .endpoints[]'; }
knows() { endpoints "$1" | grep -qxF -- "$2"; }

# block FAMILY: h1 and h2 lose what comes by it
block() {
	local host
	for host in h1 h2; do
		must on $host nft add table "$1" dead
		must on $host nft add chain "$1" dead in '{ type filter hook input priority 0; }'
		must on $host nft add rule "$1" dead in udp dport 4754 drop
	done
}
unblock() { for host in h1 h2; do must on "$host" nft delete table "$1" dead; done; }

# fails_over FAMILY PATTERN: it dies under traffic; frames go on by the other, whose addresses match
fails_over() {
	local sessions
	sessions=$(agent_status h1 | jq '.peers[] | select(.host == "h2") | .sessions')
	listen h2a
	stream h1a 52:54:00:00:00:21 --count 8000
	flowing h2a 500
	block "$1"
	ended send-h1a
	listened h2a
	[ "$(heard highest)" = 7999 ] && [ "$(heard gap_ms)" -le $((LIMIT_MS * SLOWER)) ]
	verdict $? "$1 dies under traffic: frames go on after $(heard gap_ms) ms" "$HEARD"
	check "h1 and h2 speak by the other" is_at h1 h2 "$2"
	check "the session has stayed" [ "$sessions" = "$(agent_status h1 | jq '.peers[] | select(.host == "h2") | .sessions')" ]
	unblock "$1"
	check "and do so when it is back" is_at h1 h2 "$2"
}


underlay_up
must mkdir -p "/etc/netns/$PREFIX-ctl"
must touch "/etc/netns/$PREFIX-ctl/hosts"
controller_up
both ctl 100
for i in 1 2; do
	host_add h$i $i
	both h$i $i
done
nat nat1 50 1
nat nat2 60 2
behind h3 nat1 1 3
behind h4 nat1 1 4
behind h5 nat2 2 5
declared=(--endpoint 192.0.2.1 --endpoint '[2001:db8::1]')
for i in 1 2 3 4 5; do
	case $i in
	1) enrol h$i "${declared[@]}" ;;
	5) enrol h$i --no-report-local ;;
	*) enrol h$i ;;
	esac
	vm_add h$i h${i}a ${i}1
	agent_start h$i
done
lab lab h1 h2 h3 h4 h5 >"$WORK/lab.yaml"
operator apply "$WORK/lab.yaml" >"$LOGS/apply.log" 2>&1 # who meets whom is looked at below

within 10 "h2's own addresses are known, IPv4" knows h2 192.0.2.2:4754
check "and IPv6" knows h2 '[2001:db8::2]:4754'
check "h3's is the LAN's and the NAT's" bash -c "grep -q 10.9.1.3:4754 && true" <<<"$(endpoints h3)"
equal "h1's are those that it declared" "$(printf '%s\n' 192.0.2.1:4754 '[2001:db8::1]:4754')" "$(endpoints h1 | head -2)"
check "h5 does not tell its own" bash -c '! grep -q 10.9.2.5 && true' <<<"$(endpoints h5)"
check "no port's address is told" bash -c '! grep -q "10.0.0"' <<<"$(endpoints h1)"
within 10 "h1 and h2 are up" up h1 h2
within 15 "h3 and h4, behind one NAT, meet" up h3 h4
check "by the LAN" is_at h3 h4 '10.9.1.4:4754'
within 20 "h3 and h5, behind two NATs, meet" up h3 h5
within 20 "h4 and h5, too" up h4 h5
check "frames pass from h4 to h5" reaches h4a 10.0.0.51

case $(at h1 h2) in
*.*) fails_over ip '[2001:db8::2]:4754' && fails_over ip6 '192.0.2.2:4754' ;;
*) fails_over ip6 '192.0.2.2:4754' && fails_over ip '[2001:db8::2]:4754' ;;
esac

# name_is ADDRESS: what home.example stands for, where the controller is.  Replaced in place: namespaces bind the file
name_is() {
	echo "$1 home.example" >"/etc/netns/$PREFIX-ctl/hosts"
	kill -HUP "${PIDS[controller]}"
}
first_of() { [ "$(endpoints "$1" | head -1)" = "$2" ]; }
nameless() { operator get hosts --json | jq -e '.items[] | select(.name == "h2") | .error // "" | test("home.example")'; }
must operator host set h2 home.example
within 10 "a name that stands for nothing is told of" nameless
name_is 192.0.2.22
within 10 "what h2's name stands for is told first" first_of h2 192.0.2.22:4754
check "and nothing is wrong any more" bash -c '! grep -q true' <<<"$(nameless)"
must in_ip h2 addr add 192.0.2.23/24 dev up0
name_is 192.0.2.23
within 10 "and is followed when it changes" first_of h2 192.0.2.23:4754
check "h1 and h2 are up" up h1 h2

rev=$(operator get hosts --json | jq .rev)
sleep 3 # a while in which nothing happens
equal "addresses come to rest" "$rev" "$(operator get hosts --json | jq .rev)"
finish
