#!/bin/sh
# Installs the Debian package on this machine, uses it as an operator would, and removes it again. Root only.
# usage: scripts/deb_test.sh PACKAGE BUILD
set -eu
deb=$(readlink -f "$1") build=$(readlink -f "$2") here=$(cd "$(dirname "$0")/.." && pwd)
[ "$(id -u)" -eq 0 ] || { echo "deb-test installs a package: run it as root" >&2; exit 1; }
! dpkg-query -W -f='${db:Status-Status}' yinzheng 2>/dev/null | grep -qx installed ||
	{ echo "yinzheng is installed on this machine: not touched" >&2; exit 1; }
[ ! -e /etc/yinzheng ] && [ ! -e /var/lib/yinzheng ] ||
	{ echo "/etc/yinzheng or /var/lib/yinzheng is there already: not touched" >&2; exit 1; }
pki=$here/build/pki work=$build/deb-test pid=
"$here/certs/make-pki.sh" "$pki" >/dev/null
rm -rf "$work" && mkdir -p "$work"

say() { printf '  %-58s' "$1"; }
ok() { echo ok; }
fail() { echo "FAILED: $1" >&2; exit 1; }
clean() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null || true
	dpkg --purge yinzheng >/dev/null 2>&1 || true
	rm -rf /etc/yinzheng /var/lib/yinzheng /run/yinzheng
	deluser --system --quiet yinzheng 2>/dev/null || true
}
trap clean EXIT

say "installs with its dependencies"
DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$deb" >"$work/install.log" 2>&1 ||
	{ cat "$work/install.log" >&2; fail install; }
ok
say "commands answer"
[ "$(yinzheng --version)" = "yinzheng $(dpkg-query -W -f='${Version}' yinzheng)" ] || fail "yinzheng --version"
yinzhengd --help >/dev/null || fail "yinzhengd --help"
ok
say "man pages without warnings, completion"
for page in man1/yinzheng.1 man8/yinzhengd.8 man5/yinzhengd.ini.5; do
	zcat /usr/share/man/$page.gz >"$work/page" || fail "$page"
	grep -q '^\.SH NAME' "$work/page" || fail "$page has no NAME"
	if command -v groff >/dev/null 2>&1; then
		[ -z "$(groff -man -ww -Tutf8 -Kutf8 -rLL=130n "$work/page" 2>&1 >/dev/null)" ] || fail "$page has warnings"
	fi
done
bash -c '. /usr/share/bash-completion/completions/yinzheng
	COMP_WORDS=(yinzheng seal cr) COMP_CWORD=2; _yinzheng; [ "${COMPREPLY[*]}" = create ]' || fail completion
ok
say "the unit is well formed and closed in"
if command -v systemd-analyze >/dev/null 2>&1; then
	systemd-analyze verify --man=no /lib/systemd/system/yinzhengd.service 2>"$work/unit.log" || true
	! grep yinzhengd.service "$work/unit.log" >&2 || fail "systemd-analyze verify"
	systemd-analyze security --offline=yes --threshold=20 /lib/systemd/system/yinzhengd.service >"$work/security.log" 2>&1 ||
		{ tail -5 "$work/security.log" >&2; fail "more open than 2.0 of 10"; }
	ok
else
	echo "not checked: no systemd-analyze here"
fi
say "a placeholder configuration is refused with 78"
rc=0
runuser -u yinzheng -- yinzhengd check --config /etc/yinzheng/yinzhengd.ini >"$work/check.log" 2>&1 || rc=$?
[ "$rc" = 78 ] && grep -q '/etc/yinzheng/keys/' "$work/check.log" || { cat "$work/check.log" >&2; fail "exit status $rc"; }
ok

say "serves as its own user from /etc/yinzheng"
for f in tls/server.crt tls/server.key sm2/receipt.crt sm2/receipt.key passphrase; do
	install -o yinzheng -g yinzheng -m 0600 "$pki/$f" /etc/yinzheng/keys/
done
install -m 0644 "$pki/tls/ca.crt" /etc/yinzheng/keys/client-ca.crt
cp -r "$pki"/trust/. /etc/yinzheng/trust/ && chmod -R a+rX /etc/yinzheng/trust
sed -i -e 's/^listen = .*/listen = 127.0.0.1:0\nport_file = \/run\/yinzheng\/port/' -e 's/CHANGE ME/试装/' \
	-e '/^cert = .*receipt/a passphrase_file = /etc/yinzheng/keys/passphrase' /etc/yinzheng/yinzhengd.ini
install -d -o yinzheng -g yinzheng /run/yinzheng
cp "$pki/tls/security1.crt" "$work/" && chmod 0755 "$build" "$work" && chmod 0644 "$work/security1.crt"
install -o yinzheng -m 0600 "$pki/tls/security1.crt" /etc/yinzheng/keys/admin.crt
runuser -u yinzheng -- yinzhengd init --config /etc/yinzheng/yinzhengd.ini --admin-cert /etc/yinzheng/keys/admin.crt \
	--admin-org 11990100MB0000502A >"$work/init.log" 2>&1 || { cat "$work/init.log" >&2; fail init; }
runuser -u yinzheng -- yinzhengd run --config /etc/yinzheng/yinzhengd.ini >"$work/run.log" 2>&1 &
pid=$!
for _ in $(seq 100); do [ -s /run/yinzheng/port ] && break; sleep 0.1; done
[ -s /run/yinzheng/port ] || { cat "$work/run.log" >&2; fail "not serving"; }
yinzheng health --server "localhost:$(cat /run/yinzheng/port)" --ca "$pki/tls/ca.crt" --cert "$pki/tls/security1.crt" \
	--key "$pki/tls/security1.key" >"$work/health.log" 2>&1 || { cat "$work/health.log" >&2; fail health; }
ok
say "stops in order"
pkill -TERM -u yinzheng -x yinzhengd && wait "$pid" || fail "exit status $?"
pid=
ok
say "removed and purged, store and keys stay"
dpkg --purge yinzheng >"$work/purge.log" 2>&1 || { cat "$work/purge.log" >&2; fail purge; }
[ ! -e /usr/bin/yinzheng ] && [ ! -e /lib/systemd/system/yinzhengd.service ] || fail "files are left"
[ -s /var/lib/yinzheng/store.db ] && [ -s /var/lib/yinzheng/master.key ] || fail "the store is gone"
ok
