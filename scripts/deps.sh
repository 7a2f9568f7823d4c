#!/bin/sh
# Installs what Yinzheng needs on Debian 12; does nothing when all is there.
# usage: scripts/deps.sh [build|test]     (test includes build)
set -eu

BUILD="gcc make pkg-config git ca-certificates openssl \
 libgrpc-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler grpc-proto \
 libssl-dev libsqlite3-dev libqrencode-dev libzbar-dev libpng-dev libjpeg-dev \
 libcairo2-dev libpango1.0-dev fonts-noto-cjk libcbor-dev libjansson-dev libinih-dev jq"
TEST="clang libclang-rt-14-dev libcmocka-dev python3 python3-grpcio python3-protobuf sqlite3"

case "${1:-build}" in
build) want=$BUILD ;;
test) want="$BUILD $TEST" ;;
*) echo "usage: $0 [build|test]" >&2; exit 64 ;;
esac

missing=""
for p in $want; do
	dpkg-query -W -f='${Status}\n' "$p" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
	run=""
elif command -v sudo >/dev/null 2>&1; then
	run="sudo"
else
	echo "These packages are missing:$missing" >&2
	echo "Run as root, or install sudo, or: apt-get install$missing" >&2
	exit 1
fi
command -v apt-get >/dev/null 2>&1 || { echo "apt-get not found; please install by hand:$missing" >&2; exit 1; }

echo "Installing:$missing"
$run apt-get update -q
$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
