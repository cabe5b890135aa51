#!/bin/bash
# Answers leave from the address that was asked: a host with two addresses is reached through firewalls that only let
# answers in; when the address goes, as a VIP that moves to another host, the peer follows.
#
#   h1 (h1a): .1, refuses what .2 sends ---- net ---- h2 (h2a): .2, and .22 as a VIP, by which h1 knows it
#
# IPv4, then IPv6.  h2's kernel, left to itself, speaks from .2.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# path_field HOST FIELD: of its only peer's path in use
path_field() { agent_status "$1" | jq -r --arg field "$2" '.peers[0].paths[] | select(.state != "idle") | .[$field]'; }
path_is() { [ "$(path_field "$1" "$2")" = "$3" ]; }
up() { agent_status "$1" | jq -e '.peers | length == 1 and .[0].state == "up"'; }
answers_from() { path_is h1 endpoint "$(with_port "$(address "$1")" 4754)" && path_is h2 from "$(address "$1")"; }

# As a filter that knows that h1 spoke to .22, and to nobody at .2
firewall() {
	must on h1 nft -f - <<-EOF
		table inet only_answers {
			chain in {
				type filter hook input priority 0; policy accept;
				ip saddr $(UNDERLAY=4 address 2) udp dport 4754 counter drop
				ip6 saddr $(UNDERLAY=6 address 2) udp dport 4754 counter drop
			}
		}
	EOF
}
refused_by_h1() { on h1 nft -j list chain inet only_answers in | jq '[.nftables[].rule.expr[]?.counter.packets // 0] | add'; }

# fabric VERSION: h1 and h2 up with h2 known by .22
fabric() {
	UNDERLAY=$1
	underlay_up
	controller_up
	host_add h1 1
	host_add h2 2
	if [ "$UNDERLAY" = 6 ]; then # what is preferred is what the kernel chooses
		must in_ip h2 addr add 2001:db8::22/64 dev up0 preferred_lft 0
		must in_ip h2 addr add 2001:db8::33/64 dev up0 preferred_lft 0
	else
		must in_ip h2 addr add 192.0.2.22/24 dev up0
	fi
	firewall
	enrol h1
	enrol h2 --endpoint "$(with_port "$(address 22)" 4754)"
	vm_add h1 h1a 11
	vm_add h2 h2a 21
	agent_start h1 h2
	lab lab h1 h2 >"$WORK/lab.yaml"
	must apply "$WORK/lab.yaml"
}

fabric_down() {
	local name space
	for name in h1 h2 controller; do stop $name; done
	for space in "${SPACES[@]}"; do ip netns del "$space"; done
	SPACES=()
	rm -rf "${WORK:?}"/{ctl,h1,h2}
}

for version in 4 6; do
	fabric $version
	within 10 "IPv$version: h1 and h2 are up" up h1
	within 5 "IPv$version: h1 speaks to .22, and h2 answers from there" answers_from 22
	refused=$(refused_by_h1) # h2 called from .2, too, before it was spoken to
	check "IPv$version: frames pass to h2" reaches h1a 10.0.0.21
	check "IPv$version: frames pass to h1" reaches h2a 10.0.0.11 -s 9000
	equal "IPv$version: nothing comes from .2 any more" "$refused" "$(refused_by_h1)"
	if [ $version = 4 ]; then
		in_ip h2 addr del 192.0.2.22/24 dev up0 || bail "h2 keeps .22"
		must on h1 nft flush ruleset
		within 5 "the address goes: h1 follows to where h2 is" path_is h1 endpoint 192.0.2.2:4754
		check "frames pass" reaches h1a 10.0.0.21
	fi
	fabric_down
done
finish
