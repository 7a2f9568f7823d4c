#!/bin/sh
# Makes the Debian package from what `make install` puts into a staging folder.
# usage: scripts/deb.sh BUILD VERSION
set -eu
B=$1 VERSION=$2
command -v dpkg-shlibdeps >/dev/null 2>&1 || { echo "dpkg-dev is missing: apt-get install dpkg-dev" >&2; exit 1; }
ARCH=$(dpkg --print-architecture)
work=$B/deb root=$B/deb/root
rm -rf "$work"
mkdir -p "$root/DEBIAN" "$work/debian"

${MAKE:-make} --no-print-directory install B="$B" DESTDIR="$(readlink -f "$root")" PREFIX=/usr >/dev/null
strip --strip-unneeded "$root"/usr/bin/* "$root"/usr/sbin/* "$root"/usr/libexec/yinzheng/*
install -D -m 0644 packaging/yinzhengd.service "$root/lib/systemd/system/yinzhengd.service"
install -D -m 0640 packaging/yinzhengd.ini "$root/etc/yinzheng/yinzhengd.ini"
doc=$root/usr/share/doc/yinzheng
mkdir -p "$doc"
cp README.md README.zh-CN.md docs/*.md "$doc"
find "$root/usr/share/man" -type f -exec gzip -9n {} +

# The tool wants a source package's control file.
printf 'Source: yinzheng\n\nPackage: yinzheng\nArchitecture: any\n' >"$work/debian/control"
depends=$(cd "$work" && dpkg-shlibdeps -O root/usr/bin/* root/usr/sbin/* root/usr/libexec/yinzheng/* 2>/dev/null |
	sed -n 's/^shlibs:Depends=//p')
[ -n "$depends" ] || { echo "dpkg-shlibdeps found no libraries" >&2; exit 1; }
sed -e "s/@VERSION@/$VERSION/; s/@ARCH@/$ARCH/; s/@DEPENDS@/$depends/" packaging/deb/control.in >"$root/DEBIAN/control"
echo /etc/yinzheng/yinzhengd.ini >"$root/DEBIAN/conffiles"
install -m 0755 packaging/deb/postinst packaging/deb/prerm packaging/deb/postrm "$root/DEBIAN/"
(cd "$root" && find usr lib -type f -exec md5sum {} +) >"$root/DEBIAN/md5sums"

deb=$B/yinzheng_${VERSION}_$ARCH.deb
dpkg-deb --root-owner-group --build "$root" "$deb" >/dev/null
echo "$deb"
