#!/bin/bash
# bonding.sh - two wires between two guests are one LACP bond: weft passes the LACPDUs, and one wire may go
#
#   v1: bond0 = eth0 + eth1 -- (packet:) h1 ==== wires w0, w1 ==== h2 (packet:) -- eth0 + eth1 = bond0: v2
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../e2e/lib.sh"

guest() { # HOST VM LAST: its two interfaces, bonded
	local i
	space_add "$2"
	for i in 0 1; do must in_ip "$1" link add "v$i" type veth peer name "eth$i" netns "$PREFIX-$2"; done
	for i in 0 1; do must in_ip "$1" link set "v$i" up; done
	must in_ip "$2" link add bond0 type bond mode 802.3ad lacp_rate fast miimon 100 xmit_hash_policy layer3+4
	for i in 0 1; do must in_ip "$2" link set "eth$i" master bond0; done
	must in_ip "$2" link set bond0 up
	must in_ip "$2" addr add "10.0.0.$3/24" dev bond0
}

# both of VM's links are in one aggregator, with a partner
bonded() {
	local text
	text=$(on "$1" cat /proc/net/bonding/bond0)
	grep -q 'Partner Mac Address: 00:00:00:00:00:00' <<<"$text" && return 1
	[ "$(grep -c 'Number of ports: 2' <<<"$text")" = 1 ]
}

modprobe bonding max_bonds=0
fabric_without_lab 2
guest h1 v1 1
guest h2 v2 2
agent_start h1 h2
cat >"$WORK/bond.yaml" <<YAML
lab: bond
wires:
  w0: [ { host: h1, attach: "packet:v0" }, { host: h2, attach: "packet:v0" } ]
  w1: [ { host: h1, attach: "packet:v1" }, { host: h2, attach: "packet:v1" } ]
YAML
check "apply" apply "$WORK/bond.yaml"
within 15 "LACP joins both links of v1" bonded v1
within 15 "... and of v2" bonded v2
check "v1 reaches v2" reaches v1 10.0.0.2
sed -i '/w1:/d' "$WORK/bond.yaml"
check "one wire is taken away" apply "$WORK/bond.yaml"
within 10 "v1 reaches v2 over the other" reaches v1 10.0.0.2
finish
