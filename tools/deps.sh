#!/bin/bash
# Installs, with apt-get, what this Debian machine lacks of what building, testing and the demo need, or of the packages named.
# tools/deps.sh --list only tells what that is.
set -eu

packages=(
	# building
	gcc libc6-dev make pkg-config libevent-dev libssl-dev libpcap-dev liburcu-dev libjansson-dev libyaml-dev libsqlite3-dev
	libcurl4-openssl-dev libmnl-dev libcap-ng-dev
	# testing
	libcmocka-dev clang clang-format cppcheck shellcheck libclang-rt-14-dev python3 jq curl openssl sqlite3
	# end-to-end tests and the demo: network namespaces and what runs in them
	zsh fish iproute2 iputils-ping iputils-arping procps iperf3 tshark nftables ethtool dnsmasq-base
)
# Debian packages ipsec-mb for amd64 only; without it the AEAD is OpenSSL's
[ "$(dpkg --print-architecture)" = amd64 ] && packages+=(libipsec-mb-dev)
if [ "${1:-}" = --list ]; then
	printf '%s\n' "${packages[@]}"
	exit
fi
[ $# -eq 0 ] || packages=("$@")

missing=()
for package in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "missing packages: ${missing[*]}" >&2
	echo "run this as root, or: apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# RUNLEVEL tells invoke-rc.d to start no service
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
