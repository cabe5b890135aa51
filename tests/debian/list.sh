# shellcheck shell=bash
# The end-to-end tests that make check-debian runs in its guest, a script of tests/ and its arguments a line: those that have to do
# with the kernel, devices and scripts' set-up, and those that need what Debian's kernel has and others may lack.
# shellcheck disable=SC2034
DEBIAN_TESTS="
e2e/pairs.sh 4
e2e/segments.sh
e2e/offloads.sh
e2e/tunnels.sh
e2e/fallback.sh
e2e/trains.sh
e2e/too-big.sh
e2e/restart.sh
e2e/shutdown.sh
e2e/ports-truth.sh
e2e/bridge-untouched.sh
e2e/vlan-filtering.sh
debian/bonding.sh
debian/netem.sh
debian/openvswitch.sh
debian/wireguard.sh
"
