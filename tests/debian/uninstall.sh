#!/bin/bash
# uninstall.sh - make uninstall, with daemons that run and then without
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/site.sh"

said=$(make -C "$ROOT" uninstall 2>&1)
verdict "$(grep -q 'systemctl disable --now' <<<"$said"; echo $?)" "uninstall tells of daemons that run, and how they are stopped" "$said"
for unit in weftd weft-controller; do check "systemctl disable --now $unit" systemctl disable -q --now $unit; done
check "make uninstall" make -C "$ROOT" uninstall
equal "no link hangs in the air" "" "$(find /etc/systemd /usr/local -xtype l)"
equal "no program is left" "" "$(find /usr/local -name 'weft*' -type f)"
finish
