#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fetches the pairs that compare.sh measures, from npm and the Debian archive.
# usage: fetch.sh DIR
# DIR/PAIR/old and DIR/PAIR/new are made. Safe to repeat: what is there is kept. A version that has
# left its archive is skipped with a message. No package script is run.
set -euo pipefail
root=$(mkdir -p "$1" && cd "$1" && pwd)
cache=$root/.cache
mkdir -p "$cache"

npm_file() { # PACKAGE VERSION PATH OUT
  local dir
  [ ! -e "$4" ] || return 0
  dir=$(mktemp -d "$cache/npm.XXXXXX")
  if (cd "$dir" && npm pack --silent --ignore-scripts "$1@$2" >/dev/null) &&
    tar -xzf "$dir"/*.tgz -C "$dir" "package/$3"; then
    mkdir -p "$(dirname "$4")"
    mv "$dir/package/$3" "$4"
  else
    echo "skipped: $1 $2 $3" >&2
  fi
  rm -rf "$dir"
}

apt_options=(-o "Dir::Etc::SourceList=$cache/sources.list" -o Dir::Etc::SourceParts=/nonexistent
  -o "Dir::State=$cache/state" -o "Dir::State::status=$cache/status" -o "Dir::Cache=$cache/apt"
  -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o "APT::Sandbox::User=$(id -un)")
prepare_apt() {
  local key=/usr/share/keyrings/debian-archive-keyring.gpg suite
  mkdir -p "$cache/state/lists/partial" "$cache/apt/archives/partial"
  touch "$cache/status"
  for suite in bookworm trixie; do
    echo "deb [signed-by=$key] http://deb.debian.org/debian/ $suite main non-free-firmware"
  done >"$cache/sources.list"
  echo "deb [signed-by=$key] http://deb.debian.org/debian-security/ bookworm-security main" \
    >>"$cache/sources.list"
  apt-get "${apt_options[@]}" -qq update
}

deb_file() { # PACKAGE=VERSION or PACKAGE/SUITE, PATH (a pattern), OUT
  local dir
  [ ! -e "$3" ] || return 0
  [ -e "$cache/sources.list" ] || prepare_apt
  dir=$(mktemp -d "$cache/deb.XXXXXX")
  if (cd "$dir" && apt-get "${apt_options[@]}" -qq download "$1") &&
    dpkg-deb -x "$dir"/*.deb "$dir/tree" && ls "$dir"/tree/$2 >/dev/null; then
    mkdir -p "$(dirname "$3")"
    mv "$dir"/tree/$2 "$3"
  else
    echo "skipped: $1 $2" >&2
  fi
  rm -rf "$dir"
}

ort=libonnxruntime.so.1
npm_file onnxruntime-node 1.20.0 "bin/napi-v3/linux/x64/$ort" "$root/ort_x64/old"
npm_file onnxruntime-node 1.20.1 "bin/napi-v3/linux/x64/$ort" "$root/ort_x64/new"
npm_file onnxruntime-node 1.20.0 "bin/napi-v3/linux/arm64/$ort" "$root/ort_pi/old"
npm_file onnxruntime-node 1.20.1 "bin/napi-v3/linux/arm64/$ort" "$root/ort_pi/new"
npm_file onnxruntime-node 1.26.0 "bin/napi-v6/linux/arm64/$ort" "$root/ort_arm/old"
npm_file onnxruntime-node 1.27.0 "bin/napi-v6/linux/arm64/$ort" "$root/ort_arm/new"
vips=@img/sharp-libvips-linux-x64
npm_file "$vips" 1.3.3 lib/libvips-cpp.so.8.18.6 "$root/vips/old"
npm_file "$vips" 1.3.4 lib/libvips-cpp.so.8.18.7 "$root/vips/new"
rollup=@rollup/rollup-linux-x64-gnu
npm_file "$rollup" 4.68.6 rollup.linux-x64-gnu.node "$root/rollup/old"
npm_file "$rollup" 4.68.7 rollup.linux-x64-gnu.node "$root/rollup/new"

lib=usr/lib/aarch64-linux-gnu
deb_file libssl3=3.0.20-1~deb12u2 "$lib/libcrypto.so.3" "$root/crypto/old"
deb_file libssl3=3.0.22-1~deb12u2 "$lib/libcrypto.so.3" "$root/crypto/new"
deb_file libpython3.11=3.11.2-6+deb12u8 "$lib/libpython3.11.so.1.0" "$root/python/old"
deb_file libpython3.11=3.11.2-6+deb12u9 "$lib/libpython3.11.so.1.0" "$root/python/new"
deb_file raspi-firmware/bookworm usr/lib/raspi-firmware/start4.elf "$root/raspi/old"
deb_file raspi-firmware/trixie usr/lib/raspi-firmware/start4.elf "$root/raspi/new"
deb_file u-boot-rpi/bookworm usr/lib/u-boot/rpi_4/u-boot.bin "$root/uboot/old"
deb_file u-boot-rpi/trixie usr/lib/u-boot/rpi_4/u-boot.bin "$root/uboot/new"
deb_file linux-image-6.1.0-50-arm64-unsigned 'boot/vmlinuz-*' "$root/image/old"
deb_file linux-image-6.1.0-56-arm64-unsigned 'boot/vmlinuz-*' "$root/image/new"
