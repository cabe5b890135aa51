#!/bin/bash
# rebooted.sh - after service.sh and a boot: the units come up by themselves, though their network is late
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/site.sh"

for unit in weftd weft-controller; do equal "$unit is enabled" enabled "$(systemctl is-enabled $unit)"; done
say "before there is a network: weftd $(systemctl is-active weftd), weft-controller $(systemctl is-active weft-controller)"
underlay_here
vms_here
h2_start
within 40 "the controller answers" weft get hosts
within 40 "v1 reaches v2" ping_once v1 10.0.0.2
check "weft status" weft status
finish
