# shellcheck shell=bash
# The end-to-end tests, a script and its arguments a line, in the order in which make check runs them.
# shellcheck disable=SC2034
E2E_TESTS="
pairs.sh 4
pairs.sh 6
apply-truth.sh
segments.sh
offloads.sh
tunnels.sh
own-underlay.sh
path-mtu.sh 4
path-mtu.sh 6
fallback.sh
trains.sh
too-big.sh
isolation.sh
restart.sh
restart-many.sh
supervised.sh
containers.sh
ports-truth.sh
bridge-untouched.sh
roam.sh
source-address.sh
endpoints.sh
peers-truth.sh
clone.sh
nat-restart.sh
controller-name.sh
controller-moves.sh
rekey.sh
impaired.sh
doctor.sh
shutdown.sh
tokens.sh
revoke.sh
hosts.sh
forged.sh
hostile.sh
hostile.sh sanitized
store-crash.sh
"
