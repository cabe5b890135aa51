#!/bin/bash
# Installs, with apt-get, the systems that weft is measured against; tools/deps.sh has what weft itself needs.
# None of them is started: Debian's services of these packages stay off, the bench runs the programs by itself.
set -eu

packages=(fastd openvpn tinc n2n wireguard-go wireguard-tools)

missing=()
for package in "${packages[@]}"; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

if [ "$(id -u)" -ne 0 ]; then
	echo "missing packages: ${missing[*]}" >&2
	echo "run 'make bench' as root, or: apt-get install ${missing[*]}" >&2
	exit 1
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# RUNLEVEL tells invoke-rc.d to start no service
RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
