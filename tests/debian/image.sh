#!/bin/bash
# image.sh DIR PARTS: DIR/disk.ext4 with Debian 12 and this tree, built there; DIR/vmlinuz and DIR/initrd.img, its kernel
#
# What mmdebstrap made is kept in DIR/base, and made anew when the packages change.
set -eu
dir=$1
parts=$2
base="$dir/base"
export DEBIAN_FRONTEND=noninteractive

# what `make deps` installs, so that there `make deps` finds everything; and the machine around it
mapfile -t packages < <(tools/deps.sh --list)
packages+=(linux-image-amd64 initramfs-tools systemd-sysv udev dbus kmod zstd git man-db)
# what only this kernel has a use for
packages+=(openvswitch-switch wireguard-tools)

list=$(printf '%s\n' "${packages[@]}" | sort -u)
if [ "$(cat "$base.list" 2>/dev/null)" != "$list" ]; then
	rm -rf "$base" "$base.list"
	echo "# making a Debian 12 of $(wc -l <<<"$list") packages" >&2
	mmdebstrap --quiet --variant=minbase --mode=root --include="$(paste -s -d , <<<"$list")" bookworm "$base" \
		2>"$dir/mmdebstrap.log" || { tail "$dir/mmdebstrap.log" >&2 && exit 1; }
	rm -f "$base"/var/cache/apt/archives/*.deb
	echo "$list" >"$base.list"
fi

# this tree, with what was built of it before, so that only what has changed is built again
tree="$base/root/weft"
mkdir -p "$tree"
rm -rf "$dir/built" && if [ -d "$tree/build" ]; then mv "$tree/build" "$dir/built"; fi
rm -rf "${tree:?}" && mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard --deduplicate | xargs -0 ls -d 2>/dev/null | tar -c -T - | tar -x -C "$tree"
if [ -d "$dir/built" ]; then mv "$dir/built" "$tree/build"; fi
rm -rf "$tree/build/check"
echo "# building there" >&2
chroot "$base" make -C /root/weft -j"$(nproc)" all test-tools unit-tests >"$dir/build.log" 2>&1 ||
	{ tail "$dir/build.log" >&2 && exit 1; }

# the machine: a name, no password, one service that runs the checks and powers it off
echo debian >"$base/etc/hostname"
printf '/dev/vda / ext4 rw,noatime 0 1\n' >"$base/etc/fstab"
printf '127.0.0.1 localhost debian\n::1 localhost\n' >"$base/etc/hosts"
chroot "$base" passwd -d root >/dev/null
cat >"$base/etc/systemd/system/weft-check.service" <<UNIT
[Unit]
Description=weft's checks
After=basic.target systemd-logind.service dbus.service
[Service]
Type=oneshot
ExecStart=/root/weft/tests/debian/guest.sh $parts
TimeoutStartSec=infinity
StandardOutput=journal+console
[Install]
WantedBy=multi-user.target
UNIT
ln -sf ../weft-check.service "$base/etc/systemd/system/multi-user.target.wants/weft-check.service"
cp -L "$base/vmlinuz" "$dir/vmlinuz"
cp -L "$base/initrd.img" "$dir/initrd.img"

rm -f "$dir/disk.ext4"
mke2fs -q -t ext4 -O ^has_journal -E lazy_itable_init=1,root_owner=0:0 -d "$base" "$dir/disk.ext4" 12G >/dev/null
