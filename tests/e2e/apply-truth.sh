#!/bin/bash
# "Applied" says what works: each thing that does not is caused, named by `weft apply` with its reason and its exit status, mended, up.
#
#   ctl ---- net ---- h1 ---- h2 ---- h3, each with a bridge br-lab;   h4 has joined, but its weftd does not run yet
#                      '-- x --'                       h3's state folder is a small disk
#              their ports of net can be kept apart
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

FILLER=$WORK/h3-small/filler

apart() { # on|off: h1 and h2 do not reach each other, and everybody else does
	must ip netns exec "$PREFIX-net" bridge link set dev to-h1 isolated "$1"
	must ip netns exec "$PREFIX-net" bridge link set dev to-h2 isolated "$1"
}

# its folder is copied to a tmpfs that only it sees
start_on_a_small_disk() {
	mkdir "$WORK/h3-small"
	# shellcheck disable=SC2016
	spawn h3 h3 sh -c 'mount -t tmpfs -o size=512k weft "$2" && cp -a "$1"/. "$2" && exec "$3" --state "$2"' sh \
		"$WORK/h3" "$WORK/h3-small" "$BUILD/weftd"
}

on_h3s_disk() { nsenter -t "${PIDS[h3]}" -m "$@"; }

# says COMMAND...: what it says, on both outputs, in SAID and on stdout in OUT; its exit status in CODE, its time in TOOK_MS
says() {
	local start
	start=$(now_ms)
	OUT=$("$@" 2>"$WORK/stderr")
	CODE=$?
	TOOK_MS=$(($(now_ms) - start))
	SAID=$OUT$'\n'$(cat "$WORK/stderr")
}

# told TEXT CODE PATTERN...: `says` ended with CODE, and each pattern is in what was said
told() {
	local text=$1 code=$2 pattern
	shift 2
	[ "$CODE" = "$code" ] || { not_ok "$text" "exit $CODE: $SAID"; return; }
	for pattern in "$@"; do
		grep -qE -- "$pattern" <<<"$SAID" || { not_ok "$text" "no $pattern in: $SAID"; return; }
	done
	ok "$text (exit $code, $TOOK_MS ms)"
}

host_item() { operator get hosts --json | jq -e --arg host "$1" ".items[] | select(.name == \$host) | $2"; }

underlay_up
controller_up
for i in 1 2 3 4; do
	host_add h$i $i
	enrol h$i
done
agent_start h1 h2
start_on_a_small_disk

# ---- a file that is wrong ----

lab wrong h1 h2 h3 h9 >"$WORK/wrong.yaml"
cat >>"$WORK/wrong.yaml" <<'YAML'
  again: { host: h2, network: mgmt, attach: "bridge:br-lab" }
  twice: { host: h3, network: lan, attach: "tap:wf7" }
YAML
says operator apply "$WORK/wrong.yaml"
told "all that is wrong with a file is said at once, with lines" 1 'wrong.yaml:8: .*no host "h9"' 'wrong.yaml:6: .*br-lab' 'wrong.yaml:10: .*"lan"'
says operator apply "$WORK/wrong.yaml" --json
equal "... and by --json" "6 8 10" "$(jq -r '[.errors[].line] | sort | join(" ")' <<<"$OUT")"

# ---- a path ----

apart on
lab lab h1 h2 h3 >"$WORK/lab.yaml"
says operator apply "$WORK/lab.yaml" --timeout 2s
told "a path that is blocked is named from both ends, with the address" 4 '^2 of 3 paths up, 3 ports up$' \
	"path h1 to h2: .*$(address 2)" "path h2 to h1: .*$(address 1)"
says operator get peers
told "... by get peers, too" 0 'h1 +h2 +(connecting|unreachable)' 'h2 +h1 ' '^2 of 3 paths up'
says operator apply "$WORK/lab.yaml" --timeout 1s --json
equal "... and by --json" "4 3 2 h1 h2" \
	"$CODE $(jq -r '"\(.paths.count) \(.paths.up) \([.paths.not_up[].host] | sort | join(" "))"' <<<"$OUT")"
apart off
says operator apply "$WORK/lab.yaml"
told "it is mended: the same lab waits for it" 0 'unchanged$' '^all 3 paths up, 3 ports up$'
says operator get peers h1
told "a host is asked for all of its peers" 0 '^h2 +up .*192|^h2 +up .*2001' '^h3 +up '

# ---- a port ----

sed 's/lab: lab/lab: broken/; s/br-lab/br-none/' "$WORK/lab.yaml" >"$WORK/broken.yaml"
bridge_add h2 br-none
bridge_add h3 br-none
says operator apply "$WORK/broken.yaml"
told "a port that cannot be opened is named, and not waited for" 1 'all 3 paths up, 2 of 3 ports up' 'h1: port h1-lan: .*br-none'
says operator apply "$WORK/lab.yaml"
told "another lab does not fail for it" 0 '^all 3 paths up, 3 ports up$'
says operator get ports --lab broken
told "get ports has its state and since when" 0 'broken +h1-lan +error' 'broken +h2-lan +up' 'broken/h1-lan for .*br-none'
bridge_add h1 br-none
port_up() { operator get ports --json | jq -e '[.items[] | select(.lab == "broken") | .state] | all(. == "up")'; }
within 5 "it is mended: the port is up" port_up
says operator apply "$WORK/broken.yaml"
told "... and apply says so" 0 '^all 3 paths up, 3 ports up$'

# ---- a disk ----

on_h3s_disk dd if=/dev/zero of="$FILLER" bs=4k 2>/dev/null
sed 's/h3-lan/h3-new/' "$WORK/lab.yaml" >"$WORK/new.yaml"
says operator apply "$WORK/new.yaml"
told "a host whose disk is full says that it could not keep the lab" 1 '^all 3 paths up, 3 ports up$' 'h3: .*could not be kept on disk: No space left'
says operator get hosts
told "... in get hosts, too" 0 'h3 for .*: .*No space left'
check "... and in its status" grep -q "No space left" <(on_h3s_disk "$BUILD/weft" status --state "$WORK/h3-small")
on_h3s_disk rm "$FILLER"
within 8 "it is mended: the error goes by itself" host_item h3 '.errors == null'
says operator apply "$WORK/new.yaml"
told "... and the lab applies" 0 '^all 3 paths up, 3 ports up$'

# ---- a host ----

lab four h1 h4 | sed 's/br-lab/br-four/; s/" }/", create: true }/' >"$WORK/four.yaml"
late() { [ "$(host_item h4 .offline_s)" -ge 8 ]; }
must wait_until 10 late
says operator apply "$WORK/four.yaml"
told "a host that is offline is named at once" 4 '^0 of 1 path up, 1 of 2 ports up$' 'h4 is offline and not waited for' 'h4: offline'
check "... in less than 5 s" test "$TOOK_MS" -lt 5000
agent_start h4
online() { host_item h4 .online; }
must wait_until 10 online
says operator apply "$WORK/four.yaml"
told "it is back: all is up" 0 '^1 path up, 2 ports up$'
says operator apply "$WORK/four.yaml" --no-wait
told "--no-wait says nothing of paths" 0 'lab four: revision [0-9]+, unchanged$'
says operator delete four
told "a lab that is deleted has been let go" 0 'lab four: revision [0-9]+, deleted$'
check "... by all" test -z "$(in_ip h4 -br link show type bridge | grep br-four)"
finish
