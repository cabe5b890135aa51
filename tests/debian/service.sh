#!/bin/bash
# service.sh - weft installed as the README says, under systemd: start, reload, restart, kill, sandbox
#
#   the machine: weft-controller.service, weftd.service (h1), br-lab -- veth -- VM v1
#        up0 192.0.2.1 ---- h2: weftd by hand, br-lab -- veth -- VM v2
#
# What it leaves running is what rebooted.sh and uninstall.sh look at.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/site.sh"

state_is() { [ "$(systemctl show -P ActiveState "$1")" = "$2" ]; }
pid_of() { systemctl show -P MainPID "$1"; }
other_pid() { state_is "$1" active && [ "$(pid_of "$1")" != "$2" ]; }

check "make install" make -C "$ROOT" install
for unit in weftd weft-controller; do
	check "systemd-analyze verify $unit.service" verified $unit
done
must systemctl daemon-reload
underlay_here
vms_here
must weft init --name debian --listen 192.0.2.1:4753
for unit in weft-controller weftd; do check "systemctl enable $unit" systemctl enable -q $unit; done
check "weft-controller starts" systemctl start weft-controller
within 10 "... and answers" weft get hosts
must weft join "$(weft token h1)"
check "weftd starts" systemctl start weftd
must on h2 weft join "$(weft token h2)" --state $H2
h2_start
cat >"$WORK/lab.yaml" <<YAML
lab: debian
networks:
  mgmt: { mtu: 1500 }
ports:
  a: { host: h1, network: mgmt, attach: "bridge:br-lab" }
  b: { host: h2, network: mgmt, attach: "bridge:br-lab" }
YAML
check "apply: one lab on both hosts" weft apply "$WORK/lab.yaml" --wait --timeout 60s
within 10 "v1 reaches v2" ping_once v1 10.0.0.2

for unit in weftd weft-controller; do
	pid=$(pid_of $unit)
	equal "$unit runs in a seccomp filter" 2 "$(awk '/^Seccomp:/ {print $2}' "/proc/$pid/status")"
	equal "$unit may gain no privileges" 1 "$(awk '/^NoNewPrivs:/ {print $2}' "/proc/$pid/status")"
	say "systemd-analyze security: $(systemd-analyze security --no-pager $unit 2>/dev/null | tail -n 1)"
done

pid=$(pid_of weftd)
check "systemctl reload weftd" systemctl reload weftd
equal "... it is the same process" "$pid" "$(pid_of weftd)"
within 10 "... and v1 reaches v2" ping_once v1 10.0.0.2

check "systemctl restart weftd" systemctl restart weftd
within 5 "... and v1 reaches v2" ping_once v1 10.0.0.2

# more often than systemd's own limit of starts would bear
for i in 1 2 3 4 5 6 7 8; do
	for unit in weftd weft-controller; do
		wait_until 10 state_is $unit active
		systemctl kill -s KILL $unit
	done
done
for unit in weftd weft-controller; do within 30 "killed eight times, $unit runs" state_is $unit active; done
within 30 "... and the controller answers" weft get hosts
within 30 "... and v1 reaches v2" ping_once v1 10.0.0.2

for unit in weftd weft-controller; do
	pid=$(pid_of $unit)
	limit_s=$(($(systemctl show -P WatchdogUSec $unit | sed 's/min/*60+/; s/s$//; s/[^0-9*+]//g; s/+$//') * 2 + 10))
	systemctl kill -s STOP $unit
	within $limit_s "$unit that hangs is started again" other_pid $unit "$pid"
done
within 30 "... and v1 reaches v2" ping_once v1 10.0.0.2

check "systemctl stop weftd" systemctl stop weftd
equal "... leaves no device of its own" vm-v1 "$(ls /sys/class/net/br-lab/brif)"
check "systemctl start weftd" systemctl start weftd
within 10 "... and v1 reaches v2" ping_once v1 10.0.0.2
equal "the sandbox stopped nothing" "" "$(journalctl -b -q --no-pager _AUDIT_TYPE_NAME=SECCOMP 2>/dev/null | tail -n 3)$(
	journalctl -b -q --no-pager -u weftd -u weft-controller | grep -E 'SIGSYS|code=dumped|core-dump' | tail -n 3)"
finish
