#!/bin/bash
# kill -9 of the controller in the middle of an apply, 50 times over: the store opens and holds each apply wholly or not.
#
#   ctl (weft-controller), killed; h1 is enrolled so that the labs have a host, no weftd runs
#
# Version K of the lab has network "m" of MTU 1000+K and 200 ports or so that all carry K in their device's name.  The time
# from sending the apply to the kill follows the outcome, later after an apply that was lost, earlier after one that was
# kept, so that the kills gather where the commit happens.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

KILLS=50

port_count() { echo $((190 + $1 % 23)); }

lab_version() { # K
	jq -nc --argjson k "$1" --argjson ports "$(port_count "$1")" '{
		lab: "crash",
		networks: {m: {mtu: (1000 + $k)}},
		ports: [range($ports) | {key: "p\(.)", value: {host: "h1", network: "m", attach: "tap:v\($k)-\(.)"}}] | from_entries
	}'
}

local_api() { curl -sS -m 5 --unix-socket "$WORK/ctl/controller.sock" "$@"; }

# the version that the store holds, or "torn" with what is wrong
stored_version() {
	local networks ports
	networks=$(local_api http://localhost/v1/networks) && ports=$(local_api http://localhost/v1/ports) || return 1
	jq -nr --argjson networks "$networks" --argjson ports "$ports" '
		($networks.items[0].mtu - 1000) as $k
		| if ($networks.items | length) != 1 then "torn: \($networks.items | length) networks"
		  elif ($ports.items | length) != 190 + $k % 23 then "torn: version \($k) with \($ports.items | length) ports"
		  elif ([$ports.items[].attach | startswith("tap:v\($k)-")] | all | not) then "torn: version \($k) has foreign ports"
		  else $k end'
}

intact() { # on a copy, as the crash left it
	rm -rf "$WORK/copy" && mkdir "$WORK/copy" && cp "$WORK"/ctl/controller.db* "$WORK/copy/" &&
		[ "$(sqlite3 "$WORK/copy/controller.db" 'pragma integrity_check')" = ok ]
}

underlay_up
controller_up
host_add h1 1
enrol h1
lab_version 0 >"$WORK/lab.json"
must local_api -f -X PUT http://localhost/v1/labs/crash -d "@$WORK/lab.json"
held=$(stored_version)
equal "the store holds the first version" 0 "$held"

delay_us=20000
lost=0
kept=0
broken=
for ((k = 1; k <= KILLS; k++)); do
	lab_version $k >"$WORK/lab.json"
	: >"$WORK/answer"
	local_api -o "$WORK/answer" -X PUT http://localhost/v1/labs/crash -d "@$WORK/lab.json" 2>>"$LOGS/curl.log" &
	apply=$!
	sleep "$(printf '0.%06d' $((delay_us * (80 + RANDOM % 40) / 100)))"
	stop controller KILL
	wait $apply
	answered=$(jq -r '.rev // 0' "$WORK/answer" 2>/dev/null)
	intact || { broken="after kill $k: integrity_check fails"; break; }
	controller_start
	now_held=$(stored_version) || { broken="after kill $k: the controller does not list"; break; }
	case $now_held in
	"$k") kept=$((kept + 1)) && delay_us=$((delay_us * 92 / 100)) ;;
	"$held")
		lost=$((lost + 1)) && delay_us=$((delay_us * 108 / 100 + 1))
		[ "${answered:-0}" = 0 ] || { broken="after kill $k: an apply that was answered is gone"; break; }
		;;
	*) broken="after kill $k: held $held, was sent $k, holds $now_held" && break ;;
	esac
	held=$now_held
done
equal "$((k - 1)) kills: $kept applies whole, $lost not at all, none torn, none lost after its answer" "" "$broken"
check "the kills fell on both sides of the commit" test $kept -gt 4 -a $lost -gt 4
lab lab h1 >"$WORK/lab.yaml"
check "the controller that was killed so often takes a new lab" operator apply "$WORK/lab.yaml" --no-wait
finish
