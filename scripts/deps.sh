#!/bin/sh
# Installs what Yinzheng needs on Debian 12; does nothing when all is there.
# usage: scripts/deps.sh [build|test|cross|ha]     (test includes build; cross: what `make cross-aarch64` needs; ha: what
# `make failover-patroni` needs besides; its services are not started)
set -eu

BUILD="netbase gcc libc6-dev make pkg-config openssl jq
 libgrpc-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler grpc-proto
 libssl-dev libgcrypt20-dev libsqlite3-dev libpq-dev libqrencode-dev libzbar-dev libpng-dev libjpeg-dev
 libmicrohttpd-dev libsystemd-dev libcairo2-dev libpango1.0-dev fonts-noto-cjk libcbor-dev libjansson-dev libinih-dev
 libxml2-dev libzip-dev"
TEST="clang libclang-rt-14-dev libcmocka-dev valgrind python3 python3-grpcio python3-protobuf sqlite3 postgresql nginx"
HA="patroni python3-etcd etcd-server etcd-client"
CROSS="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user"

case "${1:-build}" in
build) want=$BUILD ;;
test) want="$BUILD $TEST" ;;
cross) want=$CROSS ;;
ha) want=$HA ;;
*) echo "usage: $0 [build|test|cross|ha]" >&2; exit 64 ;;
esac

have=" $(dpkg-query -W -f='${Package} ${db:Status-Status}\n' $want 2>/dev/null | sed -n 's/ installed$//p' | tr '\n' ' ')"
missing=""
for p in $want; do
	case $have in
	*" $p "*) ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0

by_hand() {
	echo "$1 These packages are missing; install them as root, then try again:" >&2
	echo "  apt-get install --no-install-recommends$missing" >&2
	exit 1
}
command -v apt-get >/dev/null 2>&1 || by_hand "This is not Debian: apt-get is not found."
echo "Installing:$missing"
run=""
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 || by_hand "Neither root nor sudo."
	sudo true || by_hand "sudo does not let $(id -un) become root."
	run=sudo
fi

# etcd would start at once, and with the machine, on its usual port. invoke-rc.d and deb-systemd-invoke ask this program first.
policy=/usr/sbin/policy-rc.d
if [ "${1:-}" = ha ] && [ ! -e $policy ]; then
	printf '#!/bin/sh\nexit 101\n' | $run tee $policy >/dev/null
	$run chmod 755 $policy
	trap '$run rm -f $policy' EXIT
fi

# A machine that has just started may still be installing its updates: wait for that.
wait="-o DPkg::Lock::Timeout=300"
$run apt-get update -q $wait
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q $wait --no-install-recommends $missing ||
	by_hand "The installation failed, see above."
case "${1:-} $missing" in
"ha "*etcd-server*) $run systemctl -q disable etcd.service ;;
esac
