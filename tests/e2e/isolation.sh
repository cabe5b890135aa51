#!/bin/bash
# The same lab twice, with the same MACs and addresses, on the same hosts: they do not meet.
#
#   h1: br-lab (h1a), br-twin (h1t) ---- net ---- h2: br-lab (h2a), br-twin (h2t)
#
# h1t has h1a's MAC and addresses, h2t those of h2a; the lab "twin" is the lab "lab" on the other bridges.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

fabric_up 2
for n in 1 2; do
	bridge_add h$n br-twin
	vm_add h$n h${n}t ${n}1 br-twin
done
sed 's/^lab: lab$/lab: twin/; s/br-lab/br-twin/' "$WORK/lab.yaml" >"$WORK/twin.yaml"
check "the twin applies beside the lab" apply "$WORK/twin.yaml"

check "h1a reaches h2a" reaches h1a 10.0.0.21
check "h1t reaches h2t, by the same addresses" reaches h1t 10.0.0.21
check "... and by IPv6" reaches h1t fd00::21

# each twin sends to the very same MACs; streams 1 and 2 tell whose frames they are
for to in 52:54:00:00:00:21 ff:ff:ff:ff:ff:ff 52:54:00:00:00:99; do
	listen h2a
	listen h2t
	must on h1a "$FRAMES" send --to $to --count 300 --stream 1
	must on h1t "$FRAMES" send --to $to --count 300 --stream 2
	listened h2a
	equal "h2a hears its own lab's frames to $to and no others" "300 0" "$(heard received 1) $(heard received 2)"
	listened h2t
	equal "h2t hears the twin's and no others" "0 300" "$(heard received 1) $(heard received 2)"
done

check "one of them is deleted" operator delete twin
listen h2t
must on h1t "$FRAMES" send --to ff:ff:ff:ff:ff:ff --count 100
listened h2t
equal "... and is silent" 0 "$(heard received)"
check "... while the other goes on" reaches h1a 10.0.0.21
finish
