#!/bin/bash
# wireguard.sh - guests with WireGuard of the kernel's between them, over packet: and bridge: ports
#
#   h1a, h1p ==== h1 ---- h2 ==== h2a, h2p;  wg0 of h1a - h2a (bridge:) and of h1p - h2p (packet:)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../e2e/lib.sh"

# tunnel A B ADDRESS-A ADDRESS-B: wg0 between two guests, 10.9.0.1 and 10.9.0.2 inside
tunnel() {
	local key_a key_b
	key_a=$(wg genkey)
	key_b=$(wg genkey)
	end "$1" "$key_a" 10.9.0.1 "$(wg pubkey <<<"$key_b")" 10.9.0.2 "$4"
	end "$2" "$key_b" 10.9.0.2 "$(wg pubkey <<<"$key_a")" 10.9.0.1 "$3"
}

end() { # VM KEY INSIDE PEER-KEY PEER-INSIDE PEER-ADDRESS
	must in_ip "$1" link add wg0 type wireguard
	(umask 077 && echo "$2" >"$WORK/$1.key")
	must on "$1" wg set wg0 listen-port 51820 private-key "$WORK/$1.key" peer "$4" allowed-ips "$5/32" endpoint "$6:51820"
	must in_ip "$1" addr add "$3/24" dev wg0
	must in_ip "$1" link set wg0 up
}

# through VM: a TCP transfer to 10.9.0.2, behind which FROM answers
through() {
	on "$2" timeout 60 iperf3 -s -1 >"$LOGS/iperf3-$2.log" 2>&1 &
	PIDS[iperf-$2]=$!
	sleep 1
	check "TCP through WireGuard, $1 to $2" on "$1" timeout 40 iperf3 -c 10.9.0.2 -t 3
	unset "PIDS[iperf-$2]"
}

fabric_up 2
for n in 1 2; do
	space_add h${n}p
	must in_ip h$n link add pv type veth peer name eth0 netns "$PREFIX-h${n}p"
	must in_ip h$n link set pv up
	must in_ip h${n}p link set eth0 up
	must in_ip h${n}p addr add 10.1.0.$n/24 dev eth0
done
cat >"$WORK/veth.yaml" <<YAML
lab: veth
networks:
  net: { mtu: 1500 }
ports:
  a: { host: h1, network: net, attach: "packet:pv" }
  b: { host: h2, network: net, attach: "packet:pv" }
YAML
must apply "$WORK/veth.yaml"
tunnel h1a h2a 10.0.0.11 10.0.0.21
tunnel h1p h2p 10.1.0.1 10.1.0.2
within 10 "wg0 over bridge: ports" ping_once h1a 10.9.0.2
within 10 "wg0 over packet: ports" ping_once h1p 10.9.0.2
through h1a h2a
through h1p h2p
finish
