# shellcheck shell=bash
# systems.sh - what is measured: for each system a function system_NAME that joins 10.99.0.1 on host A to 10.99.0.2 on host B
#
# Source it after lib.sh.  $UNDERLAY_MTU is the underlay's.  The peers are those that Debian packages, each as its manual
# has it for an Ethernet between two hosts, with its fastest authenticated AES or stream cipher, and with the MTU that it
# recommends or that fits; nothing else is tuned, in weft neither.

# shellcheck disable=SC2034
ENCRYPTED_L2="fastd_aes fastd_salsa openvpn tinc n2n wireguard_vxlan"
# shellcheck disable=SC2034
PEERS="fastd_null fastd_aes fastd_salsa openvpn tinc n2n wireguard_l3 wireguard_vxlan"

# The build whose weft joins the hosts; weft_old is the build in $WEFT_OLD_BUILD
WEFT=$BUILD

# needs SYSTEM: the program that it runs
needs() {
	case $1 in
	weft_old) echo "${WEFT_OLD_BUILD:-}/weftd" ;;
	weft*) echo "$BUILD/weftd" ;;
	fastd_*) echo fastd ;;
	wireguard_*) echo wireguard-go ;;
	openvpn) echo openvpn ;;
	tinc) echo tincd ;;
	n2n) echo edge ;;
	*) echo ip ;;
	esac
}

# The ceiling: the bare underlay, no overlay at all
system_veth() {
	net A addr add 10.99.0.1/24 dev uA
	net B addr add 10.99.0.2/24 dev uB
}

# The kernel's L2 overlay: no encryption, no controller
system_vxlan() {
	net A link add ov type vxlan id 7 remote 192.168.77.2 dstport 4789 dev uA
	net B link add ov type vxlan id 7 remote 192.168.77.1 dstport 4789 dev uB
	address ov
}

# weft_up GUEST-MTU [WEFTD ARGUMENTS...]: a fabric of two hosts as a user makes it; the controller runs on host A
weft_up() {
	local mtu=$1 host token
	shift
	rm -rf "$WORK/controller" "$WORK"/agent-[AB]
	on A "$WEFT/weft" init --name bench --listen 192.168.77.1:4753 --state "$WORK/controller" >>"$WORK/log-A" || return 1
	helper A "$WEFT/weft-controller" --state "$WORK/controller"
	wait_until 10 operator get hosts || return 1
	for host in A B; do
		token=$(operator token "host-${host,}") || return 1
		on $host "$WEFT/weft" join "$token" --state "$WORK/agent-$host" >>"$WORK/log-$host" || return 1
		daemon $host "$WEFT/weftd" --state "$WORK/agent-$host" --log-level warning "$@"
	done
	cat >"$WORK/lab.yaml" <<LAB
lab: bench
networks:
  lan: { mtu: $mtu }
ports:
  a: { host: host-a, network: lan, attach: "tap:ov" }
  b: { host: host-b, network: lan, attach: "tap:ov" }
LAB
	operator apply "$WORK/lab.yaml" --wait >>"$WORK/log-A" || return 1
	address ov "$mtu"
}
operator() {
	local command=$1
	shift
	on A "$WEFT/weft" "$command" "$@" --state "$WORK/controller"
}
# weft_of BUILD WEFT_UP'S ARGUMENTS...
weft_of() {
	WEFT=$1
	weft_up "${@:2}"
}
# Guests have what Ethernet has, whatever weft's headers take of the underlay's MTU
system_weft() { weft_of "$BUILD" "$UNDERLAY_MTU"; }
system_weft_old() { weft_of "$WEFT_OLD_BUILD" "$UNDERLAY_MTU"; }
system_weft_openssl() { weft_of "$BUILD" "$UNDERLAY_MTU" --aead openssl; }
# Guests are told to leave room for weft's headers on the path
system_weft_fit() { weft_of "$BUILD" $((UNDERLAY_MTU - 60)); }

# Each method at the MTU that fits, as its manual says
fastd_up() { # METHOD
	local end host other last
	for host in A B; do fastd --generate-key >"$WORK/fastd-$host.pair" 2>/dev/null; done
	for end in A:B:2 B:A:1; do
		IFS=: read -r host other last <<<"$end"
		cat >"$WORK/fastd-$host.conf" <<CONF
log level warn; interface "ov"; mode tap; method "$1"; bind any:10000; mtu $((UNDERLAY_MTU - 94));
secret "$(awk '/Secret/ {print $2}' "$WORK/fastd-$host.pair")";
peer "other" { key "$(awk '/Public/ {print $2}' "$WORK/fastd-$other.pair")"; remote 192.168.77.$last:10000; }
CONF
		daemon "$host" fastd -c "$WORK/fastd-$host.conf"
	done
	address ov
}
system_fastd_null() { fastd_up null; }
system_fastd_aes() { fastd_up aes128-ctr+umac; }
system_fastd_salsa() { fastd_up salsa2012+umac; }

system_openvpn() {
	local host common
	common="--dev ov --dev-type tap --proto udp --port 1194 --ca $WORK/ca.crt --data-ciphers AES-128-GCM
		--cipher AES-128-GCM --tun-mtu $UNDERLAY_MTU --txqueuelen 1000 --sndbuf 4194304 --rcvbuf 4194304"
	(
		cd "$WORK" || exit
		key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
		# shellcheck disable=SC2086
		openssl req -x509 $key -keyout ca.key -out ca.crt -subj /CN=ca -days 2
		for host in A B; do
			# shellcheck disable=SC2086
			openssl req $key -keyout $host.key -out $host.csr -subj /CN=$host
			openssl x509 -req -in $host.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out $host.crt -days 2
		done
	) >/dev/null 2>&1
	# shellcheck disable=SC2086
	daemon B openvpn $common --tls-server --dh none --cert "$WORK/B.crt" --key "$WORK/B.key"
	# shellcheck disable=SC2086
	daemon A openvpn $common --tls-client --remote 192.168.77.2 --cert "$WORK/A.crt" --key "$WORK/A.key"
	address ov
}

system_tinc() {
	local end host other last
	for end in A:B:1 B:A:2; do
		IFS=: read -r host other last <<<"$end"
		mkdir -p "$WORK/tinc$host/hosts"
		printf 'Name = %s\nMode = switch\nDeviceType = tap\nInterface = ov\nConnectTo = %s\n' "$host" "$other" \
			>"$WORK/tinc$host/tinc.conf"
		printf 'Address = 192.168.77.%s\nCipher = aes-128-cbc\nDigest = sha256\n' "$last" >"$WORK/tinc$host/hosts/$host"
		printf '\n\n' | tincd -c "$WORK/tinc$host" -K 2048 >/dev/null 2>&1
	done
	cp "$WORK/tincA/hosts/A" "$WORK/tincB/hosts/"
	cp "$WORK/tincB/hosts/B" "$WORK/tincA/hosts/"
	for host in A B; do daemon $host tincd -c "$WORK/tinc$host" -D --pidfile="$WORK/tinc$host.pid"; done
	address ov
}

system_n2n() {
	local end last
	helper A supernode -l 7654
	sleep 0.5
	for end in A:1 B:2; do
		last=${end#*:}
		daemon "${end%:*}" edge -d ov -a "10.99.0.$last" -c lab -k secret -l 192.168.77.1:7654 -m "02:00:00:00:00:0$last"
	done
	wait_until 10 net B link show ov
}

# wireguard-go, since it needs no kernel module: L3 tunnels PREFIX.1 and PREFIX.2
wireguard_up() { # PREFIX
	local end host me you n m device
	for me in a b; do wg genkey | tee "$WORK/$me.key" | wg pubkey >"$WORK/$me.pub"; done
	for end in A:a:b:1:2 B:b:a:2:1; do
		IFS=: read -r host me you n m <<<"$end"
		device=wg$$$host
		daemon "$host" env LOG_LEVEL=error wireguard-go -f "$device"
		wait_until 5 test -S "/var/run/wireguard/$device.sock" || return 1
		on "$host" wg set "$device" private-key "$WORK/$me.key" listen-port 51820 \
			peer "$(cat "$WORK/$you.pub")" allowed-ips 0.0.0.0/0 endpoint "192.168.77.$m:51820"
		net "$host" addr add "$1.$n/24" dev "$device"
		net "$host" link set "$device" mtu $((UNDERLAY_MTU - 80)) up
	done
}
# L3 only: what an L2 overlay must beat while doing more
system_wireguard_l3() { wireguard_up 10.99.0; }
# The usual hand-built encrypted L2
system_wireguard_vxlan() {
	local end host n m
	wireguard_up 10.98.0 || return 1
	for end in A:1:2 B:2:1; do
		IFS=: read -r host n m <<<"$end"
		net "$host" link add ov type vxlan id 7 local "10.98.0.$n" remote "10.98.0.$m" dstport 4789 dev "wg$$$host"
	done
	address ov $((UNDERLAY_MTU - 130))
}
