#!/bin/bash
# A port on the interface that the fabric itself goes by: refused, unless the host's owner allows it; then nothing of ours enters it.
#
#   h1: up0 (underlay), br-lab, pa (VM p1)   ---- net ----   h2: up0, br-lab (h2a), pb (VM p2)      ctl: controller, .100
#
# p1 and p2 are hosts of a fabric of their own too, whose datagrams, on the same UDP port, pass.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# end_add HOST VM DEVICE ADDRESS: a VM whose link is DEVICE on the host, in no bridge
end_add() {
	space_add "$2"
	must in_ip "$1" link add "$3" type veth peer name eth0 netns "$PREFIX-$2"
	must in_ip "$1" link set "$3" up
	must in_ip "$2" link set eth0 up
	must in_ip "$2" addr add "$4/24" dev eth0
}

# port HOST NAME: state and error of a port
port() { agent_status "$1" | jq -r --arg name "$2" '.ports[] | select(.name == $name) | "\(.state) \(.error // "")"'; }
port_is() { [[ $(port "$1" "$2") == $3* ]]; }
port_says() { grep -q -- "$3" <<<"$(port "$1" "$2")"; }
hup() { kill -HUP "${PIDS[$1]}"; }
sent() { in_ip "$1" -j -s link show up0 | jq '.[0].stats64.tx.packets'; }

# quiet TEXT HOST: what leaves by its underlay in two seconds is keepalives, not a storm
quiet() {
	local before after
	before=$(sent "$2")
	sleep 2
	after=$(sent "$2")
	[ $((after - before)) -lt 500 ]
	verdict $? "$1: $((after - before)) packets in 2 s" "$before $after"
}

fabric_without_lab 2
end_add h1 p1 pa 10.0.0.51
end_add h2 p2 pb 10.0.0.52
agent_start h1 h2
cat >"$WORK/own.yaml" <<'YAML'
lab: own
networks:
  lan: { mtu: 1400 }
  guests: { mtu: 1500 }
ports:
  wrong: { host: h1, network: lan, attach: "packet:up0" }
  right: { host: h2, network: lan, attach: "bridge:br-lab" }
  p1: { host: h1, network: guests, attach: "packet:pa" }
  p2: { host: h2, network: guests, attach: "packet:pb" }
YAML
refuse "packet: on the underlay is an error of apply" "up0 leads to the other hosts" apply "$WORK/own.yaml"
check "... and of the port, which says what to do" port_says h1 wrong 'allow it in .*policy.json'
check "the others are up" port_is h1 p1 up
quiet "nothing is sent round" h1

# a guest's own weft
must on p1 "$BUILD/weft" init --name inner --listen 10.0.0.51:4753 --state "$WORK/inner"
spawn inner p1 "$BUILD/weft-controller" --state "$WORK/inner"
wait_until 10 on p1 "$BUILD/weft" get hosts --state "$WORK/inner" || bail "the inner controller does not answer"
for vm in p1 p2; do
	must on $vm "$BUILD/weft" join "$(on p1 "$BUILD/weft" token $vm --state "$WORK/inner")" --state "$WORK/inner-$vm"
	spawn "inner-$vm" $vm "$BUILD/weftd" --state "$WORK/inner-$vm" --workers 1
done
for vm in p1 p2; do
	must ip netns exec "$PREFIX-$vm" ip link add br0 type bridge
	must in_ip $vm link set br0 up
done
cat >"$WORK/inner.yaml" <<'YAML'
lab: inner
networks: { net: {} }
ports:
  a: { host: p1, network: net, attach: "bridge:br0" }
  b: { host: p2, network: net, attach: "bridge:br0" }
YAML
must on p1 "$BUILD/weft" apply "$WORK/inner.yaml" --wait --state "$WORK/inner"
inner_up() { on p1 "$BUILD/weft" status --json --state "$WORK/inner-p1" | jq -e '.peers[0].state == "up"'; }
within 15 "a guest's own weft, on the same UDP port, reaches its peer" inner_up
stop inner-p1
stop inner-p2
stop inner

# the host's owner allows it
echo '{"own_underlay": ["up0"]}' >"$WORK/h1/policy.json"
hup h1
within 10 "the owner allows it: the port is up" port_is h1 wrong up
must in_ip h2a addr add 192.0.2.50/24 dev eth0
within 10 "a VM of h2 is on the underlay's own Ethernet" ping_once h2a 192.0.2.100
quiet "the fabric's own datagrams do not enter it" h1
must in_ip h1 addr add 192.0.2.61/24 dev up0
datagrams_to() { on ctl "$ROOT/tests/e2e/flows.py" scatter 192.0.2.61 --port "$1" --size 100 --count 200 >/dev/null; }
frames_of() { agent_status h1 | jq '.ports[] | select(.name == "wrong") | .rx_frames'; }
none_comes() {
	local before
	before=$(frames_of)
	datagrams_to 4754
	[ $(($(frames_of) - before)) -lt 100 ]
}
within 10 "... nor those to an address that came meanwhile" none_comes
before=$(frames_of)
datagrams_to 4755
all_come() { [ $(($(frames_of) - before)) -ge 200 ]; }
within 10 "... while others to it are the Ethernet's" all_come

# what is not understood keeps every port closed
echo '{"own_underlay": ["up0"], "all": true}' >"$WORK/h1/policy.json"
hup h1
within 10 "a policy that is not understood closes the port" port_says h1 wrong "'all' is not known"
check "... and every other" port_says h1 p1 "'all' is not known"
rm "$WORK/h1/policy.json"
hup h1
within 10 "without it the others come back" port_is h1 p1 up
check "... and this one is refused" port_says h1 wrong 'up0 leads to'

# what becomes the underlay's later
cat >"$WORK/own.yaml" <<'YAML'
lab: own
networks:
  lan: { mtu: 1400 }
ports:
  later: { host: h1, network: lan, attach: "bridge:br-lab" }
  right: { host: h2, network: lan, attach: "bridge:br-lab" }
YAML
check "a bridge beside the underlay is well" apply "$WORK/own.yaml"
must in_ip h1 link set up0 master br-lab
within 10 "the underlay's interface joins the bridge: its port is closed" port_says h1 later 'br-lab leads to'
must in_ip h1 link set up0 nomaster
within 10 "it leaves: the port is up" port_is h1 later up
finish
