#!/bin/bash
# The controller's address changes, as that of a cloud VM does: hosts that are connected follow, one that was not is told by hand, a
# new one joins, operators elsewhere go on; nothing is restarted.
#
#   net ---- ctl  .100, then .101 alone
#        |-- h1, h2: connected all the time
#        |-- h3: off while it changes
#        |-- h4: joins afterwards
#        \-- op: an operator's machine
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

connected_to() { agent_status "$1" | jq -e --arg at "192.0.2.$2:4753" '.controller | .connected and .address == $at' && streams "$2"; }
# a stream of the host's to that address of the controller's
streams() { on ctl ss -Htn state established '( sport = :4753 )' | grep -qF "192.0.2.$1"; }
kept() { jq -r '"\(.controller) \(.controller_before)"' "$WORK/$1/agent.json"; }
kept_is() { [ "$(kept "$1")" = "$2" ]; }
elsewhere() { on op "$BUILD/weft" "$@" --state "$WORK/op"; }
returned() { [ "$(grep -c 'controller 192.0.2.100:4753: connected' "$LOGS/$1.log")" -ge 2 ]; }
same_process() { running "$1" && [ "${PIDS[$1]}" = "$2" ]; }

fabric_without_lab 3
space_add op
plug op 50
agent_start h1 h2 h3
for i in 1 2 3; do wait_until 10 connected_to "h$i" 100 || bail "h$i does not connect"; done
mkdir "$WORK/op"
cp "$WORK/ctl/operator.json" "$WORK/op/"
check "an operator elsewhere reaches the controller" elsewhere get hosts
stop h3
must in_ip ctl addr add 192.0.2.101/24 dev up0
controller_pid=${PIDS[controller]}
h1_pid=${PIDS[h1]}

# refused, and nothing has changed
refuse "an address that this machine has not got is not listened to" "no address 192.0.2.77 to listen on" \
	operator controller set-address 192.0.2.77
refuse "what is no address is refused" "not an address" operator controller set-address "a b"
check "the controller is where it was" elsewhere get hosts

# an address at which nobody answers: hosts stay where they were
must operator controller set-address 192.0.2.199 --listen 0.0.0.0
within 5 "hosts are told at once" kept_is h1 "192.0.2.199:4753 192.0.2.100:4753"
for i in 1 2; do
	within 20 "nobody answers there, and h$i is connected where it was again" returned "h$i"
done
online() { operator get hosts --json | jq -e '[.items[] | select(.online)] | length == 2'; }

# the right one
said=$(operator controller set-address 192.0.2.101) || bail "set-address: $said"
while read -r line; do say "$line"; done <<<"$said"
check "the command says who follows" grep -q "follow by themselves: 2" <<<"$said"
check "and who has to be told, and how" grep -qz "h3 is not connected; on it:.  weft agent set-controller 192.0.2.101:4753" <<<"$said"
for i in 1 2; do within 20 "h$i follows" connected_to "h$i" 101; done
for i in 1 2; do within 5 "h$i has forgotten the old address once the new one answered" kept_is "h$i" "192.0.2.101:4753 null"; done
must in_ip ctl addr del 192.0.2.100/24 dev up0
in_ip ctl addr show dev up0 | grep -q 192.0.2.101 || must in_ip ctl addr add 192.0.2.101/24 dev up0
within 10 "the old address goes, the hosts stay" online
check "weft-controller is the same process" same_process controller "$controller_pid"
check "weftd is the same process" same_process h1 "$h1_pid"

# who comes new, who was away, who operates from elsewhere
host_add h4 4
enrol h4
agent_start h4
within 10 "a new host joins at the new address" connected_to h4 101
agent_start h3
lost() { agent_status h3 | jq -e '.controller.connected | not'; }
within 5 "h3, which was off, looks where it was" lost
h3_pid=${PIDS[h3]}
check "told by hand" on h3 "$BUILD/weft" agent set-controller 192.0.2.101 --state "$WORK/h3"
within 10 "it connects" connected_to h3 101
check "weftd there is the same process" same_process h3 "$h3_pid"
refuse "an operator's old credentials: the error says what to do" "write that into $WORK/op/operator.json" elsewhere get hosts
sed -i 's/192.0.2.100:4753/192.0.2.101:4753/' "$WORK/op/operator.json"
check "with the new address they work" elsewhere get hosts
cp "$WORK/ctl/operator.json" "$WORK/op/"
check "as does a new copy" elsewhere get hosts
check "curl finds the new address in the certificate" \
	on op curl -sS --fail --max-time 5 --cacert "$WORK/ctl/ca.crt" https://192.0.2.101:4753/v1/ca

# without a daemon
stop controller
said=$(operator controller set-address ctl.example 2>&1) || not_ok "without a daemon" "$said"
check "without a daemon it is for the next start" grep -q "takes the address when it starts" <<<"$said"
controller_start
equal "which has it" ctl.example:4753 "$(on ctl curl -sS --unix-socket "$WORK/ctl/controller.sock" http://x/v1/fabric | jq -r .address)"
finish
