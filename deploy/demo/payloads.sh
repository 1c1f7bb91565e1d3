#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lays out three versions of a real bundle for an x86-64 industrial PC, ready for `lineside-bundle pack`:
#
#   firmware/    U-Boot for an x86-64 board, as two Debian releases ship it
#   runtime/     Debian's CPython 3.11, and onnxruntime with numpy and all that it requires, from PyPI
#   models/      silero VAD, the speech-activity model, 5.1.2 and 6.0.0
#   validation/  a probe, recorded speech, and what the real model said to it
#
# 3.0.0 is the incident: its firmware, framework and model are new, its numpy is 1.19.5.
# Downloads go through apt and pip and are kept in CACHE; once all are there, no network is needed.
# Each is pinned by its SHA-256 in debs.lock or wheels.lock. Debian's archive keeps only the newest
# version of a package in a suite: when the pinned one has left, the newest is taken, and said.
#
# usage: payloads.sh CACHE OUT
set -euo pipefail
shopt -s inherit_errexit

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1" "$2"
cache=$(cd "$1" && pwd)
out=$(cd "$2" && pwd)

note() { printf '  %s\n' "$*" >&2; }
fail() { printf 'payloads: %s\n' "$*" >&2; exit 1; }

again="run the same command again when the network is back, what was downloaded is kept"

# ---- downloads ---------------------------------------------------------------------------------

# The archive that this machine already uses for Debian 12, whatever mirror that is.
archive_uri() {
  apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "bookworm" && $3 == "main" {print $1; exit}'
}

# Package lists of one suite in a folder of their own: the machine's apt state is not touched.
suite_lists() {
  local suite=$1 root="$cache/apt/$1" uri
  [ -e "$root/ready" ] && return
  uri=$(archive_uri)
  [ -n "$uri" ] || fail "apt knows no source for Debian 12 (bookworm); run 'apt-get update' and try again"
  mkdir -p "$root/lists/partial" "$root/archives/partial"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $uri $suite main" >"$root/sources.list"
  suite_apt "$suite" update -qq -o APT::Update::Error-Mode=any >&2 ||
    fail "the package lists of Debian's $suite cannot be had from $uri; $again"
  touch "$root/ready"
}

suite_apt() {
  local root="$cache/apt/$1"
  shift
  apt-get -o Dir::Etc::sourcelist="$root/sources.list" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::State::lists="$root/lists" -o Dir::Cache="$root" -o Dir::State::status=/dev/null \
    -o APT::Sandbox::User=root -o Acquire::Languages=none "$@"
}

# pinned SUITE PACKAGE -> "VERSION SHA256"
pinned() {
  awk -v suite="$1" -v package="$2" '$1 == suite && $2 == package {print $3, $4}' "$here/debs.lock"
}

# download_deb SUITE PACKAGE[=VERSION]: into the present folder; the status of apt
download_deb() {
  suite_apt "$1" download -qq "$2" >&2
}

# fetch_deb SUITE PACKAGE -> the path of the package's file
fetch_deb() {
  local suite=$1 package=$2 dir="$cache/deb/$1" version sum file
  read -r version sum < <(pinned "$suite" "$package") || fail "$package ($suite) is not in debs.lock"
  mkdir -p "$dir"
  file=$(find "$dir" -name "${package}_*.deb" | tail -n 1)
  if [ -z "$file" ]; then
    suite_lists "$suite"
    note "downloading $package $version ($suite)"
    cd "$dir"
    if ! suite_apt "$suite" download --print-uris -qq "$package=$version" >/dev/null 2>&1; then
      note "$package $version has left Debian's archive: taking what $suite ships now, which Debian's key vouches for; the bundles will differ from those of other machines"
      version=
    fi
    download_deb "$suite" "$package${version:+=$version}" ||
      fail "$package of Debian's $suite cannot be downloaded; $again"
    file=$(find "$dir" -name "${package}_*.deb" | tail -n 1)
    if [ -n "$version" ] && [ "$(sha256sum <"$file")" != "$sum  -" ]; then
      rm -f "$file"
      fail "$package $version is not the file that debs.lock names by its SHA-256: it was changed on the way, or the lock is wrong; nothing of it was used"
    fi
  fi
  echo "$file"
}

# fetch_wheels SET -> a folder that holds exactly these wheels
fetch_wheels() {
  local set=$1 dir="$cache/wheels/$1" python
  python=$(awk -v set="$set" '$1 == set {print $2; exit}' "$here/wheels.lock")
  [ -n "$python" ] || fail "wheels.lock has no set $set"
  if [ ! -e "$dir/ready" ]; then
    note "downloading wheels: $set"
    mkdir -p "$dir"
    awk -v set="$set" '$1 == set {print $3, "--hash=sha256:" $4}' "$here/wheels.lock" >"$dir/requirements.txt"
    /usr/bin/python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
      --require-hashes --requirement "$dir/requirements.txt" --retries 2 --timeout 20 \
      --implementation cp --python-version "$python" --abi "cp$python" --abi abi3 --abi none \
      --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 \
      --platform manylinux2014_x86_64 --platform manylinux2010_x86_64 --platform any \
      --dest "$dir" >&2 ||
      fail "the wheels of set $set cannot be had from the package index that pip uses; $again"
    touch "$dir/ready"
  fi
  echo "$dir"
}

# ---- the parts of a bundle ---------------------------------------------------------------------

# lay_firmware SUITE TREE -> firmware/u-boot.rom, firmware/VERSION
lay_firmware() {
  local deb scratch
  deb=$(fetch_deb "$1" u-boot-qemu)
  scratch=$(mktemp -d)
  dpkg-deb -x "$deb" "$scratch"
  mkdir -p "$2/firmware"
  install -m 0644 "$scratch/usr/lib/u-boot/qemu-x86_64/u-boot.rom" "$2/firmware/u-boot.rom"
  dpkg-deb -f "$deb" Version >"$2/firmware/VERSION"
  rm -rf "$scratch"
}

# lay_python TREE -> runtime/usr: an interpreter with its standard library, unchanged
lay_python() {
  local package deb scratch
  scratch=$(mktemp -d)
  for package in python3.11-minimal libpython3.11-minimal libpython3.11-stdlib; do
    deb=$(fetch_deb bookworm "$package")
    dpkg-deb -x "$deb" "$scratch"
  done
  # What is linked to outside of the bundle would not be covered by its signature.
  find "$scratch/usr" -type l -lname '/*' -delete
  mkdir -p "$1/runtime/usr/lib"
  cp -a "$scratch/usr/bin" "$1/runtime/usr/"
  cp -a "$scratch/usr/lib/python3.11" "$1/runtime/usr/lib/"
  rm -rf "$scratch"
}

# lay_wheels TREE SET... -> runtime/site-packages
lay_wheels() {
  local tree=$1 set dir wheel
  shift
  mkdir -p "$tree/runtime/site-packages"
  for set in "$@"; do
    dir=$(fetch_wheels "$set")
    for wheel in "$dir"/*.whl; do
      /usr/bin/python3 -m zipfile -e "$wheel" "$tree/runtime/site-packages"
    done
  done
}

# lay_model VERSION TREE
lay_model() {
  local dir
  dir=$(fetch_wheels "silero-$1")
  mkdir -p "$2/models"
  /usr/bin/python3 - "$dir" "$2/models/vad.onnx" <<'PY'
import glob, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as wheel:
    open(sys.argv[2], "wb").write(wheel.read("silero_vad/data/silero_vad.onnx"))
PY
}

# The voice that says "front center", a recording that Debian ships to test loudspeakers with.
speech_sample() {
  local sample="$cache/speech.wav" deb scratch
  if [ ! -e "$sample" ]; then
    deb=$(fetch_deb bookworm alsa-utils)
    scratch=$(mktemp -d)
    dpkg-deb -x "$deb" "$scratch"
    install -m 0644 "$scratch/usr/share/sounds/alsa/Front_Center.wav" "$sample"
    rm -rf "$scratch"
  fi
  echo "$sample"
}

# tree_python TREE ARG... : the interpreter of that bundle, with that bundle's packages only
tree_python() {
  local tree=$1
  shift
  env -i PATH=/usr/bin PYTHONHOME="$tree/runtime/usr" PYTHONPATH="$tree/runtime/site-packages" \
    PYTHONDONTWRITEBYTECODE=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 \
    "$tree/runtime/usr/bin/python3.11" "$@"
}

# lay_validation TREE RUNNER: probe, cases, and what the runtime of the tree RUNNER made of them
lay_validation() {
  local sample
  sample=$(speech_sample)
  mkdir -p "$1/validation/probe" "$1/validation/cases"
  install -m 0644 "$here/validation/probe/run.py" "$here/validation/probe/speech.py" "$1/validation/probe/"
  tree_python "$2" "$here/validation/make_golden.py" "$1" "$sample"
}

# describe_bundle VERSION RELEASE -> VERSION.toml, what `lineside-bundle pack` is given
describe_bundle() {
  cat >"$out/$1.toml" <<TOML
# What a person decides about this bundle. Everything else is measured from the tree.
name = "line-audio"
version = "$1"
release = $2
vendor = "machines.example"
hardware = ["ipc-mixer", "ipc-press", "ipc-robot"]
tree = "$1"
TOML
}

# What a tree is made of, so that one whose recipe changed is laid out again.
recipe() {
  printf '%s\n' "$@"
  cat "$here"/*.lock "$here"/validation/*.py "$here"/validation/probe/*.py
}

build() {
  local version=$1 release=$2 suite=$3 model=$4 onnxruntime=$5 numpy=$6 runner=$7
  local tree="$out/$version.part" key
  key=$(recipe "$@" | sha256sum)
  [ "$(cat "$out/$version.ready" 2>/dev/null)" = "$key" ] && return
  note "laying out line-audio $version: onnxruntime $onnxruntime, numpy $numpy, silero VAD $model, U-Boot of $suite"
  rm -rf "$tree"
  lay_firmware "$suite" "$tree"
  lay_python "$tree"
  lay_wheels "$tree" common "onnxruntime-$onnxruntime" "numpy-$numpy"
  lay_model "$model" "$tree"
  [ "$runner" = "$version" ] && runner="$version.part"
  lay_validation "$tree" "$out/$runner"
  chmod -R u+w,go+rX "$tree"
  describe_bundle "$version" "$release"
  rm -rf "${out:?}/$version"
  mv "$tree" "$out/$version"
  echo "$key" >"$out/$version.ready"
}

#     version release firmware model onnxruntime numpy  golden outputs by
build 1.0.0   1       bookworm 5.1.2 1.20.0      1.26.3 1.0.0
build 2.0.0   2       trixie   6.0.0 1.20.1      1.26.4 2.0.0
build 3.0.0   3       trixie   6.0.0 1.20.1      1.19.5 2.0.0
