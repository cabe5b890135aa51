#!/bin/bash
# Installs, with apt-get, the systems that weft is measured against; tools/deps.sh by itself has what weft needs.
# None of them is started: Debian's services of these packages stay off, the bench runs the programs by itself.
exec "$(dirname "$0")/../../tools/deps.sh" fastd openvpn tinc n2n wireguard-go wireguard-tools
