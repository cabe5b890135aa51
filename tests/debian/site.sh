# shellcheck shell=bash
# site.sh - the surroundings of the service on the Debian guest: a second host in a namespace, and a VM beside each; source it
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/../e2e/lib.sh"

export PATH=/usr/local/sbin:/usr/local/bin:$PATH

verified() { [ -z "$(systemd-analyze verify "$1.service" 2>&1 | grep -v '^$')" ]; }

# h2's state, which stays over a reboot
H2=/root/h2

# The underlay's address of the machine itself; before the services start
underlay_here() {
	space_add h2 v1 v2
	must ip link add up0 type veth peer name up0 netns "$PREFIX-h2"
	must ip addr add 192.0.2.1/24 dev up0
	must ip link set up0 up
	must in_ip h2 addr add 192.0.2.2/24 dev up0
	must in_ip h2 link set up0 up
}

# The VMs, 10.0.0.1 and 10.0.0.2, and h2's bridge; the machine's own switch is its caller's
vms_up() {
	must ip link add vm-v1 type veth peer name eth0 netns "$PREFIX-v1"
	must ip link set vm-v1 up
	bridge_add h2 br-lab
	must in_ip h2 link add vm-v2 type veth peer name eth0 netns "$PREFIX-v2"
	must in_ip h2 link set vm-v2 master br-lab up
	for n in 1 2; do
		must in_ip v$n addr add 10.0.0.$n/24 dev eth0
		must in_ip v$n link set eth0 up
	done
}

vms_here() {
	must ip link add br-lab type bridge
	must ip link set br-lab up
	vms_up
	must ip link set vm-v1 master br-lab
}

h2_start() { spawn h2 h2 weftd --state $H2; }
