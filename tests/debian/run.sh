#!/bin/bash
# make check-debian: what a stock Debian 12 does with this tree: its own kernel and systemd, booted by QEMU
#
#   this machine                                       the guest (QEMU, emulated)          
#   tests/debian/image.sh: a Debian 12 by mmdebstrap,
#   this tree in /root/weft, built in a chroot   --->  weft-check.service: tests/debian/guest.sh
#   build/debian/results, log/  <---------------------  a virtio port, and the disk after power-off
#
# The guest has no network card: whatever it sends stays in it.  Results are lines of the Test Anything Protocol.
#
# tests/debian/run.sh [PART...]: only these parts of guest.sh; no argument means all.  The image stays in build/debian.
set -u
cd "$(dirname "$0")/../.." || exit 1

DIR=build/debian
LIMIT_S=${DEBIAN_LIMIT_S:-3000}
MEMORY_MIB=4096
ACCEL=${DEBIAN_ACCEL:-tcg,thread=multi,tb-size=512} # kvm, where that works, is ten times as fast
guest=

tools/deps.sh mmdebstrap qemu-system-x86 e2fsprogs || exit 1
mkdir -p $DIR

interrupted() {
	[ -n "$guest" ] && kill "$guest" 2>/dev/null
	exit 130
}
trap interrupted INT TERM HUP

tests/debian/image.sh "$DIR" "$*" || exit 1
rm -rf $DIR/log $DIR/results $DIR/console
start=$SECONDS
timeout -k 10 "$LIMIT_S" qemu-system-x86_64 -accel "$ACCEL" -cpu max -smp "$(nproc)" -m $MEMORY_MIB \
	-nodefaults -no-user-config -display none \
	-kernel $DIR/vmlinuz -initrd $DIR/initrd.img -append "root=/dev/vda rw console=ttyS0 quiet net.ifnames=0 panic=1" \
	-drive file=$DIR/disk.ext4,format=raw,if=virtio,cache=unsafe -device virtio-rng-pci \
	-serial file:$DIR/console -device virtio-serial-pci \
	-chardev file,id=results,path=$DIR/results -device virtserialport,chardev=results,name=weft.results \
	>$DIR/qemu.log 2>&1 </dev/null &
guest=$!
tail --pid=$guest -s 1 -n +1 -F $DIR/results 2>/dev/null
wait $guest
status=$?
guest=

# the logs, out of the disk
debugfs -R "rdump /root/weft/build/check $DIR" $DIR/disk.ext4 >/dev/null 2>&1
[ ! -d $DIR/check ] || mv $DIR/check $DIR/log

passed=$(grep -c '^ok\b' $DIR/results)
failed=$(grep -c '^not ok\b' $DIR/results)
if ! grep -q '^# all parts are done' $DIR/results; then
	echo "not ok - the guest did not come to its end (QEMU's status $status; $DIR/console, $DIR/qemu.log)"
	failed=$((failed + 1))
fi
echo "in $((SECONDS - start)) s under ${ACCEL%%,*}; logs in $DIR/log/"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
