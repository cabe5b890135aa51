#!/bin/bash
# What a service manager hears of the daemons, what it does about one that hangs, and what installing leaves behind.
#
#   ctl: supervisor.py, weft-controller ---- net ---- h1: supervisor.py, weftd
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

WATCHDOG_MS=2000

says() { grep -q "^said .*$2" "$LOGS/$1.log"; }
signs() { grep -c "^said WATCHDOG=1" "$LOGS/$1.log"; }
more_signs() { [ "$(signs "$1")" -gt "$2" ]; }
main_pid() { sed -n 's/^started \([0-9]*\).*/\1/p' "$LOGS/$1.log" | tail -n 1; }
starts() { [ "$(grep -c '^started' "$LOGS/$1.log")" -ge "$2" ]; }
files() { (cd "$WORK/root" && find . ! -type d | sort); }

fabric_without_lab 2
stop controller TERM
spawn controller ctl "$ROOT/tests/e2e/supervisor.py" --watchdog $WATCHDOG_MS "$BUILD/weft-controller" --state "$WORK/ctl"
within 10 "the controller says that it listens" says controller "READY=1 STATUS=fabric e2e, listening on $(address 100):4753"
spawn h1 h1 "$ROOT/tests/e2e/supervisor.py" --watchdog $WATCHDOG_MS "$BUILD/weftd" --state "$WORK/h1"
within 10 "weftd says that it has started" says h1 READY=1
check "... before there is a lab" says h1 "STATUS=0 of 0 ports up, 0 of 0 peers up"
agent_start h2
lab lab h1 h2 >"$WORK/lab.yaml"
check "a lab applies" apply "$WORK/lab.yaml"
within 10 "weftd says how it is" says h1 "STATUS=1 of 1 ports up, 1 of 1 peers up"

for name in controller h1; do
	count=$(signs $name)
	within 10 "$name gives signs of life" more_signs $name $((count + 4))
	pid=$(main_pid $name)
	kill -STOP "$pid"
	within 10 "$name hangs and is started anew" starts $name 2
	check "... once" test "$(grep -c '^hangs' "$LOGS/$name.log")" = 1
done
within 10 "traffic passes again" ping_once h1a 10.0.0.21
stop h1 TERM
equal "the service manager's stop ends weftd with status 0" 0 $?

if command -v systemd-analyze >/dev/null; then
	for unit in overlay/weftd.service controller/weft-controller.service; do
		sed "s|/usr/local/sbin|$BUILD|" "$ROOT/$unit" >"$WORK/${unit##*/}"
		check "systemd has nothing to say about ${unit##*/}" \
			sh -c "! SYSTEMD_LOG_LEVEL=warning systemd-analyze verify --man=no $WORK/${unit##*/} 2>&1 | grep '${unit##*/}'"
	done
fi

install() { make -s -C "$ROOT" BUILD="$BUILD" PREFIX=/usr DESTDIR="$WORK/root" "$1"; }
check "make install" install install
check "the unit starts what was installed" grep -q '^ExecStart=/usr/sbin/weftd$' "$WORK/root/etc/systemd/system/weftd.service"
mkdir -p "$WORK/root/etc/systemd/system/multi-user.target.wants"
ln -s ../weftd.service "$WORK/root/etc/systemd/system/multi-user.target.wants/weftd.service"
check "make uninstall" install uninstall
equal "nothing of it is left, nor a link to it" "" "$(files)"
finish
