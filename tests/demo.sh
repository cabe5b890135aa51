#!/bin/bash
# make demo: a whole fabric on this one machine, shown step by step with the commands that a user would type, in under a minute.
#
# Every line that begins with NAME# is run as it stands, on that box: in its network namespace and with its own folder mounted
# (in a private mount namespace) as /var/lib/weft, so that the commands are those of a real machine.  What is made is removed
# at the end, also after Ctrl-C.  The boxes are those of tests/e2e/lib.sh.
WEFT_LOGS=$(cd "$(dirname "$0")/.." && pwd)/build/demo
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/e2e/lib.sh"

VMS="h1a h1b h2a h2b h3a h3b"
COLUMNS_MAX=80
bold='' plain=''
[ -t 1 ] && bold=$(printf '\033[1m') && plain=$(printf '\033[0m')
export PATH=$BUILD:$PATH
started_ms=$(now_ms)

bail() {
	echo "demo: $*; logs are in $LOGS/" >&2
	exit 1
}

title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

# box NAME COMMAND...: on that box, with its folder as /var/lib/weft and the files of this demo in the working directory
box() {
	local name=$1
	shift
	mkdir -p "$WORK/$name"
	# shellcheck disable=SC2016
	ip netns exec "$PREFIX-$name" sh -c 'mount -t tmpfs weft /var/lib && mkdir /var/lib/weft && cd "$1" &&
		mount --bind "$2" /var/lib/weft && shift 2 && exec "$@"' sh "$WORK" "$WORK/$name" "$@"
}

prompt() { # NAME COMMAND-LINE, wrapped like a shell's user would
	printf '%s%s# %s%s\n' "$bold" "$1" "$2" "$plain" | fold -w $COLUMNS_MAX
}

# show NAME COMMAND-LINE: the prompt, the command and what it says
show() {
	prompt "$1" "$2"
	box "$1" bash -c "$2" 2>&1 | fold -s -w $COLUMNS_MAX
	[ "${PIPESTATUS[0]}" -eq 0 ] || bail "that failed"
}

# start NAME COMMAND: the prompt; the daemon goes on in the background, its output to $LOGS/NAME.log
start() {
	prompt "$1" "$2 &"
	# shellcheck disable=SC2016
	ip netns exec "$PREFIX-$1" sh -c 'mount -t tmpfs weft /var/lib && mkdir /var/lib/weft &&
		mount --bind "$1" /var/lib/weft && exec $2' sh "$WORK/$1" "$2" >>"$LOGS/$1.log" 2>&1 </dev/null &
	PIDS[$1]=$!
}

# answered VM ADDRESS: the round trip of the last of three pings in ms, or "-"
answered() {
	on "$1" ping -n -c 3 -i 0.02 -W "$SLOWER" "$2" 2>/dev/null | sed -n 's/.*icmp_seq=3 .*time=\([0-9.]*\).*/\1/p' | grep . || echo -
}

last_of() { echo "$1" | tr -d h | tr ab 12; }

# matrix NETWORK-PREFIX: who reaches whom, in ms; sets UNANSWERED
matrix() {
	local from to made=()
	for from in $VMS; do
		for to in $VMS; do
			[ "$from" = "$to" ] || answered "$from" "$1$(last_of "$to")" >"$WORK/ping-$from-$to" &
			made+=($!)
		done
		wait "${made[@]}"
		made=()
	done
	printf '  %-8s' ""
	# shellcheck disable=SC2086
	printf '%9s' $VMS
	printf '\n'
	UNANSWERED=0
	for from in $VMS; do
		printf '  %-8s' "$from"
		for to in $VMS; do
			if [ "$from" = "$to" ]; then printf '%9s' "."; else
				printf '%9s' "$(cat "$WORK/ping-$from-$to")"
				grep -q '^-' "$WORK/ping-$from-$to" && UNANSWERED=$((UNANSWERED + 1))
			fi
		done
		printf '\n'
	done
	[ $UNANSWERED -eq 0 ] || bail "$UNANSWERED pings were not answered"
}

cat <<'TEXT'
weft demo: what follows runs in network namespaces of this machine: a
controller, three hosts on an IP network ("the clouds"), and on each host a
Linux bridge br-lab with two VMs.

   ctl 192.0.2.100   h1 192.0.2.1      h2 192.0.2.2      h3 192.0.2.3
        |                |                 |                 |
   -----+----------------+-----------------+-----------------+-------
                      br-lab            br-lab            br-lab
                      /    \            /    \            /    \
                    h1a    h1b        h2a    h2b        h3a    h3b
TEXT

underlay_up
space_add ctl
plug ctl 100
for i in 1 2 3; do
	host_add h$i $i
	vm_add h$i h${i}a ${i}1
	vm_add h$i h${i}b ${i}2
done

title "A new fabric"
show ctl "weft init --name homelab --listen 192.0.2.100:4753"
start ctl "weft-controller"
wait_until 10 box ctl weft get hosts || bail "the controller does not answer"

title "Three hosts join, each with a token of its own"
for i in 1 2 3; do
	[ $i = 1 ] && prompt ctl "weft token --expires 1h h$i"
	token=$(box ctl weft token --expires 1h h$i)
	if [ $i = 1 ]; then
		printf '%s\n' "${token:0:76}..."
		prompt h1 "weft join weft1.${token:6:16}..."
		box h1 weft join "$token" | fold -s -w $COLUMNS_MAX
		[ "${PIPESTATUS[0]}" -eq 0 ] || bail "that failed"
	else
		prompt h$i "weft join weft1.${token:6:16}..."
		box h$i weft join "$token" >/dev/null || bail "that failed"
	fi
	start h$i weftd
done

title "A lab: the three bridges become one Ethernet"
lab two-sites h1 h2 h3 >"$WORK/lab.yaml"
show ctl "cat lab.yaml"
show ctl "time -p weft apply lab.yaml"
show ctl "weft get hosts"
sessions_up() { box "$1" weft status --json | jq -e '.peers | length == 2 and all(.state == "up")'; }
for i in 1 2 3; do wait_until 5 sessions_up h$i || bail "h$i has no sessions with the others"; done
show h1 "weft status"

title "Every VM pings every other by IPv4 (ms)"
matrix 10.0.0.
title "... and by IPv6"
matrix fd00::

title "The same lab again, same MACs and addresses, on other bridges"
sed 's/two-sites/twin/; s/br-lab/br-twin/' "$WORK/lab.yaml" >"$WORK/twin.yaml"
for i in 1 2 3; do
	bridge_add h$i br-twin
	vm_add h$i h${i}t ${i}1 br-twin
done
prompt ctl "diff lab.yaml twin.yaml"
diff "$WORK/lab.yaml" "$WORK/twin.yaml" | cut -c 1-$COLUMNS_MAX
show ctl "weft apply twin.yaml"
check_twin() {
	for vm in h2a h2t; do listen $vm; done
	on h1a "$FRAMES" send --count 100 --stream 1 >/dev/null
	on h1t "$FRAMES" send --count 100 --stream 2 >/dev/null
	on h1t ping -n -q -c 3 -i 0.02 10.0.0.21 >/dev/null || bail "the twin does not carry traffic"
	for vm in h2a h2t; do
		listened $vm
		printf '  %s heard %s broadcasts of two-sites, %s of twin\n' $vm "$(heard received 1)" "$(heard received 2)"
		case $vm in h2a) expected="100 0" ;; *) expected="0 100" ;; esac
		[ "$(heard received 1) $(heard received 2)" = "$expected" ] || bail "the two labs met"
	done
}
echo "100 broadcasts by h1a (in two-sites), 100 by h1t (in twin, with h1a's MAC):"
check_twin

title "iperf3 from h1a to h3a, and what weft measure sees on the wire meanwhile"
start_server() {
	spawn iperf3 h3a iperf3 -s -1
	wait_until 5 on h3a sh -c 'ss -Hltn sport = :5201 | grep -q .' || bail "iperf3 does not listen"
}
start_server
on h1 timeout 20 tshark -q -i up0 -s 128 -a packets:2000 -w "$WORK/wire.pcap" -f "udp port 4754" >/dev/null 2>&1 &
capture=$!
wait_until 5 test -s "$WORK/wire.pcap"
box h1 weft measure -i up0 -d 4 -B 256 >"$WORK/measured" 2>&1 &
measure=$!
show h1a "iperf3 -c 10.0.0.31 -t 3 --format g | grep -E 'receiver|sender'"
wait $measure
prompt h1 "weft measure -i up0 -d 4 -B 256 | sed -n '/summary/,\$p'"
sed -n '/summary/,$p' "$WORK/measured" | fold -s -w $COLUMNS_MAX
wait $capture

title "One of its datagrams, as tshark reads it: GRE over UDP, key and sequence"
show h1 "tshark -r wire.pcap -c 1 -Y gre -T fields -E header=y -e ip.src -e ip.dst -e udp.dstport -e gre.proto -e gre.key -e gre.sequence_number 2>/dev/null"

title "What it takes"
for name in h1 h2 h3 ctl; do
	[ $name = ctl ] && program=weft-controller || program=weftd
	printf '  %-16s on %-4s %6d KiB resident\n' $program $name "$(rss_kib $name)"
done
printf '\nThat was %d s; everything made here is removed now.\n' $((($(now_ms) - started_ms) / 1000))
