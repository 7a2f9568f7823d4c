#!/bin/sh
# Unpacks what tests on another architecture link against into FOLDER: Debian's packages for it, with lists and caches
# of apt in the folder too. Nothing of the machine changes, and root is not needed; does nothing when all is there.
# usage: scripts/sysroot.sh FOLDER [ARCHITECTURE]
set -eu

dir=${1:?usage: $0 FOLDER [ARCHITECTURE]}
arch=${2:-arm64}
packages="libssl3 libssl-dev libgcrypt20 libgcrypt20-dev libgpg-error0 libgpg-error-dev libcmocka0 libcmocka-dev libjansson4 libjansson-dev"

[ "$(cat "$dir/.complete" 2>/dev/null)" != "$packages" ] || exit 0
command -v apt-get >/dev/null 2>&1 || { echo "$0: this is not Debian: apt-get is not found." >&2; exit 1; }
mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
dir=$(cd "$dir" && pwd)
own() {
	apt-get -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" -o Dir::State="$dir/apt" \
		-o Dir::State::lists="$dir/apt/lists" -o Dir::State::status=/dev/null -o Dir::Cache="$dir/apt/cache" \
		-o APT::Sandbox::User="$(id -un)" "$@"
}
own update
(cd "$dir/apt" && own download $packages)
for deb in "$dir"/apt/*.deb; do
	dpkg-deb -x "$deb" "$dir"
done
rm -rf "$dir/apt"
echo "$packages" >"$dir/.complete"
