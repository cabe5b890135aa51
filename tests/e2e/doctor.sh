#!/bin/bash
# Does weft say what is wrong?  Faults are planted one by one: weft doctor names each, with the command that mends it, and is
# content once that command was run.  weft ping loses what is lost, weft events tell what happened.
#
#   ctl ---- net ---- h1 (h1a, h1b) ---- h2 (h2a, h2b)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

fabric_up 2

here() { on "$1" "$BUILD/weft" "${@:2}" --state "$WORK/$1"; }
findings() { operator doctor "$1" --json | jq -c '.findings[] | select(.result != "ok")'; }
clean() { [ -z "$(findings "$1")" ]; }
# command_of HOST CHECK: what its finding says is to be done
command_of() { findings "$1" | jq -r --arg check "$2" 'select(.check == $check) | .command' | head -n 1; }
# event HOST NAME [ABOUT]; without a host, of all
# shellcheck disable=SC2086
event() { operator events $1 --json | jq -se --arg name "$2" --arg about "${3:-}" 'any(.[]; .event == $name and ($about == "" or .about == $about))'; }
peer_is() { [ "$(agent_status "$1" | jq -r --arg peer "$2" '.peers[] | select(.host == $peer).state')" = "$3" ]; }

# ---- all is well ----

within 10 "doctor has nothing to find on h1" clean h1
check "... and says so by its exit status" operator doctor h1
check "... within 80 columns on a terminal" test -z "$(script -qec "ip netns exec $PREFIX-ctl $BUILD/weft doctor h1 --state $WORK/ctl" /dev/null | tr -d '\r' | grep -E '.{81,}')"
check "... on the host itself, without the controller's credentials" here h1 doctor
refuse "a host that there is not" "no host" operator doctor h9

# ---- ping ----

check "ping from h1 to h2" here h1 ping h2 -c 2
check "ping from h2 to h1, asked by the controller" operator ping h1 --from h2 -c 2
check "ping a port: its host, and it is up" operator ping h2-lan --from h1 -c 1
refuse "ping of nobody" "did you mean h2" here h1 ping h22
must on h2 nft -f - <<-END
	table inet lossy {
		chain in {
			type filter hook input priority 0;
			udp dport 4754 numgen random mod 2 == 0 drop
		}
	}
END
lost=$(here h1 ping h2 -c 12 --json | jq '.sent - .answered')
check "half of what comes to h2 is dropped, and ping loses some and not all ($lost of 12)" test "$lost" -ge 1 -a "$lost" -le 11
must on h2 nft delete table inet lossy

# ---- UDP is blocked in one direction ----

must on h1 nft -f - <<-END
	table inet fw {
		chain input {
			type filter hook input priority 0;
			ip saddr 192.0.2.2 udp dport 4754 drop
		}
	}
END
check "ping says that nothing comes back" test "$(here h1 ping h2 -c 1 --json | jq .answered)" = 0
within 10 "doctor finds that h1 does not hear h2" eval 'findings h1 | grep -q "does not hear h2"'
mend=$(command_of h1 udp)
equal "... and the command that mends it" "nft insert rule inet fw input udp dport 4754 accept" "$mend"
refuse "... and exits with 1" "error" operator doctor h1
within 15 "h2 is told of as silent" event h1 peer-silent h2
# shellcheck disable=SC2086
must on h1 $mend
within 20 "after it h1 is well again" clean h1
within 10 "... and h2 is told of as up" event h1 peer-up h2
must on h1 nft delete table inet fw

# ---- a port's device goes ----

must in_ip h2 link del br-lab
within 10 "doctor finds the port whose bridge is gone" eval '[ -n "$(command_of h2 ports)" ]'
within 10 "... events tell of it" event h2 port-down lab/h2-lan
check "... ping of the port says so" test "$(operator ping h2-lan --from h1 -c 1 --json | jq -r .port.state)" != up
bridge_add h2 br-lab
in_ip h2 link set vm-h2a master br-lab
within 15 "the bridge is back, and doctor is content" clean h2
within 10 "... events tell of that, too" event h2 port-up lab/h2-lan

# ---- weftd is away; events of hosts ----

stop h2 TERM
within 10 "doctor finds that h2 is offline" eval 'findings h2 | grep -q systemctl'
within 10 "events tell that h2 is offline" event h2 host-offline
check "on the host: doctor without a weftd says how to start it" grep -q "systemctl start weftd" <<<"$(here h2 doctor)"
cp /etc/hosts "$WORK/hosts" # h2's own from here on
# shellcheck disable=SC2016
spawn h2 h2 unshare -m sh -c 'mount --bind "$0" /etc/hosts && exec "$@"' "$WORK/hosts" "$BUILD/weftd" --state "$WORK/h2"
within 20 "h2 is back, and well" clean h2
within 5 "events tell that it is online" event h2 host-online
check "the controller's events have the lab" event "" lab-applied lab
check "events of the host by its own socket" eval 'here h1 events | grep -q peer-up'

# ---- the controller's name does not resolve ----

must operator controller set-address ctl.lab
within 20 "doctor finds that the controller's new name does not resolve on h2" eval '[ -n "$(command_of h2 name)" ]'
equal "... and the command that mends it" "echo 'ADDRESS ctl.lab' >>/etc/hosts" "$(command_of h2 name)"
echo '192.0.2.100 ctl.lab' >>"$WORK/hosts"
within 20 "after it h2 is well again" clean h2

# ---- drops are explained ----

check "a drop is explained" grep -q "no port" <<<"$(operator help drop switch-not-member)"
finish
