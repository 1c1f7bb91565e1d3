#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# From a fresh Debian 12 machine to a plant that updates itself: installs what is missing, builds,
# lays out three versions of a real bundle, and runs a site of a gateway and eight devices through
# them. The third version is the incident that Lineside exists for. Safe to repeat.
#
# usage: deploy/quickstart.sh [--nodes N] [--keep] [--dir FOLDER]
#   --nodes N     devices, 3 to 200 (default 8)
#   --keep        leave the site running, and say how to look at it and how to stop it
#   --dir FOLDER  where the site stands (default build/site); what is in it is removed first
set -euo pipefail
here=$PWD
cd "$(dirname "$0")/.."

wrong() {
  echo "quickstart: $1; see deploy/quickstart.sh --help" >&2
  exit 2
}
arguments=()
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --keep) arguments+=(--keep) ;;
    --nodes)
      case ${2:-} in '' | *[!0-9]*) wrong "--nodes takes a number from 3 to 200" ;; esac
      { [ "$2" -ge 3 ] && [ "$2" -le 200 ]; } || wrong "--nodes takes a number from 3 to 200"
      arguments+=(--nodes "$2")
      shift
      ;;
    --dir)
      [ -n "${2:-}" ] || wrong "--dir takes a folder"
      arguments+=(--dir "$(cd "$here" && realpath -m -- "$2")")
      shift
      ;;
    *) wrong "'$1' is not known" ;;
  esac
  shift
done

deploy/install-deps.sh build run

echo "building Lineside (release); a first build takes some minutes"
mkdir -p build
cmake --preset release >build/configure.log || { cat build/configure.log >&2; exit 1; }
cmake --build --preset release --parallel "$(nproc)" --target programs

echo "laying out three versions of a real bundle"
deploy/demo/payloads.sh build/cache/downloads build/cache/trees

exec /usr/bin/python3 deploy/demo/quickstart.py "${arguments[@]}"
