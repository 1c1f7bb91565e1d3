#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian 12 packages that are missing. Says nothing and needs no network if none are.
#
# usage: install-deps.sh [build] [run] [test] [package] [ci]
set -euo pipefail

build="g++ cmake ninja-build pkg-config ccache mold libboost1.74-dev libtorrent-rasterbar-dev libssl-dev
  libzstd-dev liblzma-dev libdivsufsort-dev libsqlite3-dev nlohmann-json3-dev libtomlplusplus-dev
  libcli11-dev libfmt-dev libgtest-dev libbz2-dev libargon2-dev libsystemd-dev"
# The page is built with npm; whoever has it from elsewhere keeps it.
command -v npm >/dev/null || build+=" nodejs npm"
# What the programs and the demonstration call at run time.
run="bubblewrap python3 python3-pip ca-certificates openssl"
# Keys in tokens: an engine for PKCS #11, a provider for TPMs, and one of each in software.
run+=" libengine-pkcs11-openssl tpm2-openssl"
test="python3-venv bsdiff xdelta3 zstd iproute2 procps chromium fonts-dejavu-core softhsm2 swtpm
  systemd-container debootstrap"
package="debhelper dpkg-dev fakeroot lintian"
# Yardsticks of tests/bench/swarm. nginx starts a service of its own: not for a machine that serves.
bench="iproute2 nginx-light curl aria2 udpcast python3-libtorrent"
ci="clang clang-format clang-tidy libclang-rt-14-dev git"

wanted=""
for group in "${@:-build}"; do
  case $group in
    build) wanted+=" $build" ;;
    run) wanted+=" $run" ;;
    test) wanted+=" $test" ;;
    ci) wanted+=" $ci" ;;
    bench) wanted+=" $bench" ;;
    package) wanted+=" $package" ;;
    *) echo "install-deps: no group '$group'; there are build, run, test, package, ci" >&2; exit 2 ;;
  esac
done

missing=()
for package in $wanted; do
  status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing ${#missing[@]} Debian packages: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || {
    echo "install-deps: not root and no sudo; as root: apt-get install ${missing[*]}" >&2
    exit 1
  }
  as_root=(sudo)
fi
again="see what apt says above; run the same command again when the archive can be reached"
"${as_root[@]}" apt-get update -qq || { echo "install-deps: no package lists; $again" >&2; exit 1; }
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
  { echo "install-deps: ${missing[*]} cannot be installed; $again" >&2; exit 1; }
