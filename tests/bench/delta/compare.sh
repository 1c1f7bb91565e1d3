#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Sizes and costs of lineside-delta beside bsdiff and zstd --patch-from, for pairs of files.
# usage: compare.sh LINESIDE_DELTA OLD NEW [OLD NEW …]
# Each result is applied and compared; what does not give back NEW is printed as WRONG.
set -eu
program=$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# measure WHAT COMMAND…: seconds of CPU and KiB of memory into $dir/WHAT
measure() {
  what=$1
  shift
  /usr/bin/time -o "$dir/$what" -f '%U %M' "$@" >"$dir/log" 2>&1 || { cat "$dir/log" >&2; return 1; }
}

row() { # method patch
  verdict=ok
  cmp -s "$dir/out" "$new" || verdict=WRONG
  read -r diff_s diff_kib <"$dir/diff"
  read -r apply_s apply_kib <"$dir/apply"
  printf '%-22s %10s %8s %8s %8s %8s  %s\n' "$1" "$(stat -c %s "$2")" \
    "$diff_s" "$((diff_kib / 1024))" "$apply_s" "$((apply_kib / 1024))" "$verdict"
  rm -f "$dir/out" "$2"
}

lineside() { # name options…
  name=$1
  shift
  measure diff "$program" diff "$@" "$old" "$new" "$dir/p"
  measure apply "$program" apply "$old" "$dir/p" "$dir/out"
  row "$name" "$dir/p"
}

while [ $# -ge 2 ]; do
  old=$1
  new=$2
  shift 2
  echo "$old -> $new, $(stat -c %s "$new") bytes"
  printf '%-22s %10s %8s %8s %8s %8s\n' method bytes diff_s diff_MiB apply_s apply_MiB
  lineside 'lineside' --effort 2
  lineside 'lineside, zstd only' --effort 2 --zstd-only
  if command -v bsdiff >/dev/null; then
    measure diff bsdiff "$old" "$new" "$dir/p"
    measure apply bspatch "$old" "$dir/out" "$dir/p"
    row bsdiff "$dir/p"
  fi
  measure diff zstd -q -19 --long=27 --patch-from="$old" "$new" -o "$dir/p"
  measure apply zstd -q -d --long=27 --memory=2048MB --patch-from="$old" "$dir/p" -o "$dir/out"
  row 'zstd -19 patch-from' "$dir/p"
done
