#!/bin/bash
# Hosts are looked after: their version and certificate are shown, one joins anew under a weftd that runs, one that is gone is removed.
#
#   ctl ---- net ---- h1 (h1a), joins anew ---- h2 (h2a) ---- h3 (h3a), revoked and removed
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

host() { operator get hosts --json | jq -er --arg host "$1" ".items[] | select(.name == \$host) | $2"; }
applied() { agent_status "$1" | jq -e '.topology.rev > 0 and .topology.rev == .topology.applied'; }
same_revision() { applied "$1" && [ "$(host "$1" .applied_rev)" = "$(agent_status "$1" | jq .topology.applied)" ] && host "$1" '.wanted_rev == .applied_rev'; }
same_process() { running "$1" && [ "${PIDS[$1]}" = "$2" ]; }
refused_there() { agent_status "$1" | jq -e '.controller | .connected | not'; }
knows() { [ "$(host "$1" .fingerprint)" = "$2" ]; }

fabric_up 3
for h in h1 h2 h3; do within 10 "$h: one revision in weft status and weft get hosts" same_revision $h; done
stop controller
controller_start
for h in h1 h2 h3; do within 20 "$h: ... and after the controller's restart" same_revision $h; done
version=$("$BUILD/weft" version | head -n 1 | awk '{print $2}')
equal "the version is shown" "$version" "$(host h1 .version)"
check "as is the certificate's end, as the certificate has it" test \
	"$(date -ud "$(openssl x509 -in "$WORK/h1/host.crt" -noout -enddate | cut -d= -f2)" +%s)" = "$(host h1 .certificate_end)"
check "... in the table as a day" grep -q "$(date -ud "@$(host h1 .certificate_end)" +%F)" <(operator get hosts)

# anew, under a weftd that runs
before=$(host h1 .fingerprint)
pid=${PIDS[h1]}
token=$(operator token h1) || bail "weft token h1: $token"
said=$(on h1 "$BUILD/weft" join "$token" --force --state "$WORK/h1") || not_ok "weft join --force" "$said"
check "weft join --force says that weftd was told" grep -q "was told, and starts anew" <<<"$said"
check "the certificate is another" test "$(host h1 .fingerprint)" != "$before"
online() { host h1 .online && agent_status h1 | jq -e '.controller.connected'; }
within 10 "weftd is connected with it" online
within 10 "traffic passes again" ping_once h1a 10.0.0.21
check "it is the same process" same_process h1 "$pid"
check "its ports stayed open" grep -q "ports were left open by the weftd before" "$LOGS/h1.log"

# out of the lists
refuse "a host on which labs have ports is not removed, and they are named" "lab/" operator host rm h3 --force
lab lab h1 h2 >"$WORK/less.yaml"
must apply "$WORK/less.yaml"
refuse "nor one that is not revoked" "not revoked" operator host rm h3
spare=$(operator token h3)
check "weft host rm h3 --force" operator host rm h3 --force
refuse "it is not listed any more" "^$" host h3 .name
within 10 "its weftd is refused" refused_there h3
refuse "... which has a certificate of this CA" "not enrolled here" on h3 curl -sS --fail-with-body --max-time 5 --cacert "$WORK/ctl/ca.crt" \
	--cert "$WORK/h3/host.crt" --key "$WORK/h3/host.key" "https://$(address 100):4753/v1/agent/topology"
refuse "a token that was not used went with it" "not made by this fabric" on h3 "$BUILD/weft" join "$spare" --force --state "$WORK/h3"
stop controller
controller_start
refuse "a restart of the controller does not bring it back" "^$" host h3 .name
token=$(operator token h3)
check "a new token lets it join again" on h3 "$BUILD/weft" join "$token" --force --state "$WORK/h3"
returned() { host h3 .online; }
within 10 "... and it is back" returned
finish
