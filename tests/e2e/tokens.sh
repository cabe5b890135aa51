#!/bin/bash
# Who gets in: one token, one host, once, in time, from the right controller; everyone else hears why not.
#
#   ctl (weft-controller) ---- net ---- h1, h2, h3 (only `weft join`, no weftd)
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

# edited TOKEN FILTER: the join token with its JSON changed
edited() {
	local body=${1#weft1.}
	while [ $((${#body} % 4)) -ne 0 ]; do body+="="; done
	echo "weft1.$(tr '_-' '/+' <<<"$body" | base64 -d | jq -c "$2" | tr -d '\n' | base64 -w 0 | tr -d '=' | tr '/+' '_-')"
}

join() { on "$1" timeout 20 "$BUILD/weft" join "$2" --state "$WORK/$1"; } # HOST TOKEN
enrolled() { operator get hosts --json | jq -e --arg host "$1" '.items[] | select(.name == $host)'; }
nothing_kept() { [ ! -e "$WORK/$1/agent.json" ] && [ ! -e "$WORK/$1/host.crt" ]; }
clock_past() { [ "$(now_ms)" -gt "$1" ]; }

underlay_up
controller_up
host_add h1 1
host_add h2 2
host_add h3 3

token=$(operator token h1)
check "a fresh token enrols its host" join h1 "$token"
check "the controller lists it" enrolled h1
equal "private keys are for root only" "600 600" "$(stat -c %a "$WORK/h1/host.key" "$WORK/h1/tunnel.key" | xargs)"
check "the host's certificate is signed by the fabric's CA" openssl verify -CAfile "$WORK/ctl/ca.crt" "$WORK/h1/host.crt"

refuse "a used token" "used" join h2 "$token"
check "a refused host keeps nothing" nothing_kept h2

token=$(operator token --expires 1s h2)
wait_until 5 clock_past $(($(now_ms) + 2100))
refuse "an expired token" "expired" join h2 "$token"

token=$(operator token h2)
refuse "a token with a wrong secret" "token" join h2 "$(edited "$token" '.s |= (.[4:] + .[:4])')"
refuse "a token for another CA" "fingerprint|CA" join h2 "$(edited "$token" '.f |= (.[2:] + .[:2])')"
refuse "a token that was edited to another name" "h2|h3|name|signature" join h3 "$(edited "$token" '.h = "h3"')"
refuse "a token whose controller does not answer" "reach|connect" join h2 "$(edited "$token" '.c = "192.0.2.100:9"')"
refuse "something that is no token" "token" join h2 "weft1.bm90IGpzb24"
refuse "a word" "token" join h2 "hello"
check "none of them is enrolled" test "$(operator get hosts --json | jq '[.items[].name] == ["h1"]')" = true

check "after all that, the right token still works" join h2 "$token"

wrong=$(edited "$(operator token h3)" '.s |= (.[4:] + .[:4])')
for ((i = 0; i < 12; i++)); do said=$(join h3 "$wrong" 2>&1); done
check "guessing is slowed down: $said" grep -qiE "try again|too many" <<<"$said"

api() { on h1 curl -sS --cacert "$WORK/ctl/ca.crt" "$@"; }
url=https://$(with_port "$(address 100)" 4753)
status() { api -o "$WORK/answer" -w '%{http_code}' "$@"; }
equal "the agents' API refuses a caller without a certificate" 401 "$(status "$url/v1/agent/topology")"
equal "the operators' API refuses a caller without a token" 401 "$(status "$url/v1/hosts")"
equal "... and one with a wrong token" 401 "$(status -H 'Authorization: Bearer 0123456789' "$url/v1/hosts")"
equal "... and an agent's certificate" 403 "$(status --cert "$WORK/h1/host.crt" --key "$WORK/h1/host.key" "$url/v1/hosts")"
equal "what an agent does, curl can do" 200 \
	"$(status --cert "$WORK/h1/host.crt" --key "$WORK/h1/host.key" "$url/v1/agent/topology")"
refuse "TLS before 1.3" "protocol|alert" api --tls-max 1.2 "$url/v1/ca"
equal "the controller's local socket is for root only" 600 "$(stat -c %a "$WORK/ctl/controller.sock")"
finish
