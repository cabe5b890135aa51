#!/bin/bash
# openvswitch.sh - a TAP of weft's as a port of an Open vSwitch bridge with the kernel's datapath
#
#   the machine: h1, OVS bridge ovs0 (system datapath) with tap:ovs-weft and the VM v1 ---- h2: br-lab, VM v2
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/site.sh"

check "Open vSwitch starts" systemctl start openvswitch-switch
underlay_here
must weft init --name ovs --listen 192.0.2.1:4753 --state "$WORK/ctl"
weft-controller --state "$WORK/ctl" >"$LOGS/controller.log" 2>&1 &
PIDS[controller]=$!
within 10 "the controller answers" weft get hosts --state "$WORK/ctl"
must weft join "$(weft token h1 --state "$WORK/ctl")" --state "$WORK/h1"
must on h2 weft join "$(weft token h2 --state "$WORK/ctl")" --state "$WORK/h2"
weftd --state "$WORK/h1" >"$LOGS/h1.log" 2>&1 &
PIDS[h1]=$!
spawn h2 h2 weftd --state "$WORK/h2"
must ovs-vsctl --may-exist add-br ovs0
must ip link set ovs0 up
equal "ovs0 has the kernel's datapath" system "$(ovs-vsctl get bridge ovs0 datapath_type | sed 's/^""$/system/')"
vms_up
must ovs-vsctl --may-exist add-port ovs0 vm-v1
cat >"$WORK/ovs.yaml" <<YAML
lab: ovs
networks:
  mgmt: { mtu: 1500 }
ports:
  a: { host: h1, network: mgmt, attach: "tap:ovs-weft" }
  b: { host: h2, network: mgmt, attach: "bridge:br-lab" }
YAML
check "apply" weft apply "$WORK/ovs.yaml" --wait --state "$WORK/ctl"
must ovs-vsctl --may-exist add-port ovs0 ovs-weft
within 10 "v1 reaches v2" ping_once v1 10.0.0.2
on v2 timeout 60 iperf3 -s -1 >"$LOGS/iperf3-server.log" 2>&1 &
PIDS[iperf]=$!
sleep 1
check "TCP gets through" on v1 timeout 40 iperf3 -c 10.0.0.2 -t 3
must ovs-vsctl set port ovs-weft tag=10
must ovs-vsctl set port vm-v1 tag=10
check "an access VLAN of the bridge is untagged to both" reaches v1 10.0.0.2
stop h1
must ovs-vsctl del-br ovs0
finish
