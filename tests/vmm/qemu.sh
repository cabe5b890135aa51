#!/bin/bash
# Two real guests of QEMU, each on a TAP that QEMU made, joined by weft as packet:NAME.  Not part of make check: emulated guests are slow.
#
#   guest a: virtio-net -- vmm-a (QEMU's TAP) -- h1 weftd ---- net ---- h2 weftd -- vmm-b -- virtio-net: guest b
#
# Guests are Debian's cloud kernel and its busybox, fetched by apt into build/vmm (27 MB); both have all of virtio-net's offloads.
# shellcheck source-path=SCRIPTDIR/../e2e
. "$(dirname "$0")/../e2e/lib.sh"

"$ROOT/tools/deps.sh" qemu-system-x86 || bail "QEMU is missing"
BOOT_S=60
DOWNLOADS=$BUILD/vmm
FILES=$DOWNLOADS/root

fetch() {
	local kernel
	[ ! -d "$FILES/boot" ] || return 0
	kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p')
	mkdir -p "$FILES"
	(cd "$DOWNLOADS" && apt-get -qq download busybox-static "$kernel" && for deb in *.deb; do dpkg -x "$deb" root; done)
}

# initramfs: busybox, the modules of virtio-net, and what a guest does: it serves a file, and fetches the other's
initramfs() {
	local root=$WORK/initramfs module
	mkdir -p "$root"/{bin,dev,proc,sys,modules,www}
	cp "$FILES/bin/busybox" "$root/bin/"
	for module in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net; do
		find "$FILES/lib/modules" -name "$module.ko" -exec cp {} "$root/modules/" \;
	done
	cat >"$root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net; do
	[ ! -e /modules/$module.ko ] || insmod /modules/$module.ko
done
read -r line </proc/cmdline
for word in $line; do case $word in own=* | other=*) export "$word" ;; esac; done
ip link set eth0 up
ip addr add 10.0.0.$own/24 dev eth0
echo
head -c 8388608 /dev/urandom >/www/file
echo "SUM $(md5sum </www/file)"
httpd -h /www
until ping -c 1 -W 1 10.0.0.$other >/dev/null; do :; done
ping -c 5 10.0.0.$other | sed -n 's/.*transmitted, \([0-9]*\) packets received.*/PONGS \1/p'
until wget -q -O /got http://10.0.0.$other/file; do sleep 1; done
echo "GOT $(md5sum </got)"
awk '/^Tcp:/ { if (n++) print "BAD", $15; }' /proc/net/snmp
echo DONE
while :; do sleep 60; done
INIT
	chmod +x "$root/init"
	(cd "$root" && find . | "$FILES/bin/busybox" cpio -o -H newc 2>/dev/null | gzip -1) >"$WORK/initramfs.gz"
}

# guest HOST NAME OWN OTHER
guest() {
	spawn "guest-$2" "$1" qemu-system-x86_64 -accel tcg -cpu max -m 256 -nodefaults -no-reboot -nographic -serial "file:$WORK/console-$2" \
		-kernel "$(ls "$FILES"/boot/vmlinuz-*)" -initrd "$WORK/initramfs.gz" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check own=$3 other=$4" \
		-netdev "tap,id=n,ifname=vmm-$2,script=no,downscript=no" -device "virtio-net-pci,netdev=n,mac=52:54:00:00:00:$3"
	wait_until 20 in_ip "$1" link set "vmm-$2" up || bail "QEMU makes no TAP: $(tail -n 2 "$LOGS/guest-$2.log")"
}

console() { tr -d '\r' <"$WORK/console-$1" | sed -n "s/^$2 //p" | head -n 1; }
done_() { grep -q '^DONE' "$WORK/console-$1"; }

must fetch
must initramfs
fabric_without_lab 2
agent_start h1 h2
guest h1 a 61 62
guest h2 b 62 61
for kind in tap packet; do
	cat >"$WORK/$kind.yaml" <<YAML
lab: vmm
networks: { net: { mtu: 1500 } }
ports:
  a: { host: h1, network: net, attach: "$kind:vmm-a" }
  b: { host: h2, network: net, attach: "$kind:vmm-b" }
YAML
done
refuse "tap: on a TAP that a VMM has open" 'packet:vmm-a' apply "$WORK/tap.yaml"
check "packet: takes it" apply "$WORK/packet.yaml"
for name in a b; do within $BOOT_S "guest $name reaches the other and has fetched its file" done_ $name; done
for name in a b; do
	equal "guest $name: ping" 5 "$(console $name PONGS)"
	equal "guest $name: no bad checksum" 0 "$(console $name BAD)"
done
equal "a's file at b" "$(console a SUM)" "$(console b GOT)"
equal "b's file at a" "$(console b SUM)" "$(console a GOT)"
for host in h1 h2; do
	equal "nothing was lost at $host" "{}" "$(agent_status $host |
		jq -c '.drops | with_entries(select((.key | test("^(tap|segment|coalesce|fragment)-")) and .value > 0))')"
done
finish
