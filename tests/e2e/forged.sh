#!/bin/bash
# A controller whose store was tampered with hands out hosts that the fabric's CA never signed: the peers refuse them.
#
#   ctl, evil (another CA for a fabric of the same name) ---- net ---- h1 (h1a), h2 (h2a), h3 (h3a, the impostor)
#
# What weft itself would make for an impostor is made by enrolling "h3" at the evil controller.  Its certificate, tunnel key and
# signature are then written into the true controller's store, and h3's weftd runs with the private keys that belong to
# them, with the fabric's true secret and with the last true topology: all that an impostor could have.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

evil() {
	local command=$1
	shift
	on evil "$BUILD/weft" "$command" "$@" --state "$WORK/evil"
}

record() { sqlite3 "$WORK/$1/controller.db" "select value from kv where key = 'host/$2'"; } # STATE HOST

refusals() { jq -r '.peers[] | select(.state == "refused") | "\(.host): \(.reason)"' <(agent_status "$1"); }
refuses_h3() { refusals h1 | grep -qiE "^h3: .*($1)"; }
strangers() { [ "$(drops h1 handshake-stranger)" -gt "$1" ]; }

# impostor TEXT FILTER REASON [FILE...]: h3's record becomes FILTER of {$true, $evil, $other}, its FILEs those that
# the evil controller gave; h1 refuses it
impostor() {
	local text=$1 filter=$2 reason=$3 value before file
	shift 3
	say "$text"
	value=$(jq -nc --argjson true "$true_h3" --argjson evil "$evil_h3" --argjson other "$true_h2" "$filter") || bail "$filter"
	stop controller
	stop h3
	must sqlite3 "$WORK/ctl/controller.db" "update kv set value = '${value//\'/\'\'}' where key = 'host/h3'"
	for file in "$@"; do cp "$WORK/evil-h3/$file" "$WORK/h3/$file"; done
	controller_start
	# a change of the lab, so that everyone is handed the record anew
	versions=$((versions + 1))
	lab lab h1 h2 h3 | sed "s/mtu: 1500/mtu: $((1400 + versions))/" >"$WORK/lab.yaml"
	must operator apply "$WORK/lab.yaml" --no-wait
	before=$(drops h1 handshake-stranger)
	agent_start h3
	within 15 "h1 refuses h3 ($reason)" refuses_h3 "$reason"
	spawn knock h3a ping -n -q -i 0.1 10.0.0.11
	within 15 "h3 knocks, and is a stranger to h1" strangers "$before"
	stop knock
	refuse "h1 does not reach h3" "100% packet loss" ping_once h1a 10.0.0.31
	check "h1 and h2 go on" reaches h1a 10.0.0.21
}

versions=0
fabric_up 3
space_add evil
plug evil 66
must on evil "$BUILD/weft" init --name e2e --listen "$(with_port "$(address 66)" 4753)" --state "$WORK/evil"
spawn evil evil "$BUILD/weft-controller" --state "$WORK/evil"
wait_until 10 evil get hosts || bail "the evil controller does not answer"
must on h3 "$BUILD/weft" join "$(evil token h3)" --state "$WORK/evil-h3"

stop evil
stop controller # a running controller keeps its store locked
true_h2=$(record ctl h2)
true_h3=$(record ctl h3)
evil_h3=$(record evil h3)

impostor "a certificate of another CA, and all that belongs to it" \
	'$true + ($evil | {certificate, tunnel_key, tunnel_sig})' 'certificate' host.key host.crt tunnel.key
impostor "the true certificate, a tunnel key signed by another" \
	'$true + ($evil | {tunnel_key, tunnel_sig})' 'signature|tunnel key|not signed' tunnel.key
impostor "the true certificate and signature, another tunnel key" \
	'$true + ($evil | {tunnel_key})' 'signature|tunnel key|not signed'
impostor "another host's certificate, with its key" \
	'$true + ($other | {certificate, tunnel_key, tunnel_sig})' 'certificate|name'
finish
