#!/bin/bash
# guest.sh [PART...] - inside the Debian guest of tests/debian/run.sh, as a service: each part's results to the host
#
# A part is a function part_NAME below, or a script such as e2e/pairs.sh; no argument means all.  One of them boots the machine
# again: what is left to do is kept in $LEFT meanwhile.  However this script ends otherwise, it powers the machine off.
set -u
cd "$(dirname "$0")/../.." || exit 1

PARTS="kernel unit demo service e2e reboot uninstall"
LEFT=/root/left
RESULTS=/dev/virtio-ports/weft.results
export HOME=/root LC_ALL=C.UTF-8 TERM=dumb COLUMNS=80
E2E_LIMIT_S=900

modprobe -q virtio_console
for _ in $(seq 50); do [ -e $RESULTS ] || sleep 0.1; done
result() { echo "$*" | tee -a $RESULTS; }

rebooting=
end() {
	[ -n "$rebooting" ] || systemctl --no-block poweroff
}
trap end EXIT

# tap NAME COMMAND...: what it prints in the Test Anything Protocol, under its name
tap() {
	local name=$1 log=build/check/$1.log start=$SECONDS status planned good bad
	shift
	mkdir -p build/check
	timeout -k 20 $E2E_LIMIT_S "$@" >"$log" 2>&1 </dev/null
	status=$?
	planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log" | awk '{n += $1} END {print n + 0}')
	good=$(grep -c '^ok\b' "$log")
	bad=$(grep -c '^not ok\b' "$log")
	sed -n "s/^ok [0-9]* -\? \?/ok - $name: /p; s/^not ok [0-9]* -\? \?/not ok - $name: /p; s/^#/#  /p" "$log" |
		tee -a $RESULTS
	if [ "$planned" -eq 0 ] || [ "$planned" -ne $((good + bad)) ] || { [ $status -ne 0 ] && [ "$bad" -eq 0 ]; }; then
		result "not ok - $name: ended with status $status after $((good + bad)) of $planned checks"
		tail -n 5 "$log" | sed 's/^/#   /' | tee -a $RESULTS
	fi
	result "# $name took $((SECONDS - start)) s"
}

# whole NAME COMMAND...: one result, the command's status
whole() {
	local name=$1 log=build/check/$1.log start=$SECONDS
	shift
	mkdir -p build/check
	if timeout -k 20 $E2E_LIMIT_S "$@" >"$log" 2>&1 </dev/null; then
		result "ok - $name"
	else
		result "not ok - $name"
		tail -n 15 "$log" | sed 's/^/#   /' | tee -a $RESULTS
	fi
	result "# $name took $((SECONDS - start)) s"
}

# ---- the parts -----------------------------------------------------------------------------------------------

# what the tests below are here for; a name that is wrong would make them pass by looking at nothing
part_kernel() {
	result "# $(uname -sr), $(systemctl --version | head -n 1)"
	for module in tun veth bridge br_netfilter 8021q bonding sch_netem vxlan geneve ip_gre ip6_gre ipip sit wireguard openvswitch; do
		if modprobe $module; then result "ok - module $module"; else result "not ok - module $module"; fi
	done
	modprobe -r br_netfilter # as the machine comes
}

part_unit() {
	local room source name
	for room in base tap underlay overlay/agent; do
		mkdir -p "build/check/unit/$room"
		for source in tests/unit/"$room"/test_*.c; do
			name=${source#tests/}
			whole "${name%.c}" "build/tests/${name%.c}"
		done
	done
}

part_demo() { whole "demo" make demo; }

part_service() { tap service tests/debian/service.sh; }

# script PATH-UNDER-TESTS [ARGUMENT]
script() { tap "${1##*/}${2:+-$2}" "tests/$1" ${2:+"$2"}; }

# shellcheck source=SCRIPTDIR/list.sh
part_e2e() {
	local path argument
	. tests/debian/list.sh
	while read -r path argument; do
		[ -z "$path" ] || script "$path" "$argument"
	done <<<"$DEBIAN_TESTS"
}

part_reboot() {
	if [ -e /root/rebooted ]; then
		tap rebooted tests/debian/rebooted.sh
		return
	fi
	touch /root/rebooted
	echo "reboot $left" >$LEFT
	rebooting=1
	systemctl reboot
	sleep infinity
}

part_uninstall() { tap uninstall tests/debian/uninstall.sh; }

left=$PARTS
[ $# -eq 0 ] || left=$*
[ ! -e $LEFT ] || left=$(cat $LEFT)
while [ -n "$left" ]; do
	part=${left%% *}
	left=${left#"$part"}
	left=${left# }
	case $part in
	*/*) script "$part" ;;
	*) "part_$part" ;;
	esac
done
result "# all parts are done"
sync
