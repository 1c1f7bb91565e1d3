#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Sizes and costs of lineside-delta beside bsdiff, xdelta3 and zstd --patch-from.
# usage: compare.sh LINESIDE_DELTA DIR [PAIR …]
# DIR/PAIR/old and DIR/PAIR/new are the two versions, as fetch.sh leaves them; all pairs without
# PAIR. Of two folders the others are given a tar each. Each result is applied and compared; what does not give back `new` is printed as WRONG.
# Seconds are those of the processor. The last column is the size as a share of bsdiff's.
set -euo pipefail
program=$1
pairs=$2
shift 2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# measure WHAT COMMAND…: seconds of CPU and KiB of memory into $dir/WHAT
measure() {
  local what=$1
  shift
  /usr/bin/time -o "$dir/$what" -f '%U %S %M' "$@" >"$dir/log" 2>&1 ||
    { cat "$dir/log" >&2; return 1; }
}

row() { # METHOD NEW
  local verdict=ok size
  diff -qr "$dir/out" "$2" >/dev/null || verdict=WRONG
  size=$(stat -c %s "$dir/p")
  if [ "$1" = bsdiff ]; then reference=$size; fi
  awk -v name="$1" -v size="$size" -v verdict="$verdict" -v reference="$reference" '
    { seconds[FNR == NR] = $1 + $2; mib[FNR == NR] = $3 / 1024 }
    END {
      printf "| %s | %d | %.2f | %.1f / %d | %.2f / %d | %s |\n", name, size, size / reference,
             seconds[1], mib[1], seconds[0], mib[0], verdict
    }' "$dir/diff" "$dir/apply"
  rm -rf "$dir/out" "$dir/p"
}

# What the engines that know no folders are given.
flat() { # FILE-OR-FOLDER OUT
  if [ -d "$1" ]; then
    tar --sort=name --owner=0 --group=0 --mtime=@0 -cf "$2" -C "$1" .
  else
    cp "$1" "$2"
  fi
}

compare() { # OLD NEW
  flat "$1" "$dir/old"
  flat "$2" "$dir/new"
  measure diff bsdiff "$dir/old" "$dir/new" "$dir/p"
  measure apply bspatch "$dir/old" "$dir/out" "$dir/p"
  row bsdiff "$dir/new"
  measure diff xdelta3 -q -9 -S lzma -B 536870912 -e -s "$dir/old" "$dir/new" "$dir/p"
  measure apply xdelta3 -q -B 536870912 -d -s "$dir/old" "$dir/p" "$dir/out"
  row 'xdelta3 -9 -S lzma' "$dir/new"
  measure diff zstd -q -19 --long=27 --patch-from="$dir/old" "$dir/new" -o "$dir/p"
  measure apply zstd -q -d --long=27 --memory=2048MB --patch-from="$dir/old" "$dir/p" -o "$dir/out"
  row 'zstd -19 --patch-from' "$dir/new"
  measure diff "$program" diff --threads 1 --zstd-only "$1" "$2" "$dir/p"
  measure apply "$program" apply --threads 1 "$1" "$dir/p" "$dir/out"
  row 'lineside-delta --zstd-only' "$2"
  measure diff "$program" diff --threads 1 "$1" "$2" "$dir/p"
  measure apply "$program" apply --threads 1 "$1" "$dir/p" "$dir/out"
  row '**lineside-delta**' "$2"
}

[ $# -gt 0 ] || set -- $(cd "$pairs" && ls)
for pair in "$@"; do
  old=$(readlink -f "$pairs/$pair/old")
  new=$(readlink -f "$pairs/$pair/new")
  if [ ! -e "$old" ] || [ ! -e "$new" ]; then
    echo "$pair is not there: fetch.sh gets it, unless the archive has dropped it" >&2
    continue
  fi
  echo
  echo "**$pair**, $(du -sb "$new" | cut -f 1) bytes"
  echo
  echo '| method | bytes | of bsdiff | diff s / MiB | apply s / MiB | |'
  echo '|---|---|---|---|---|---|'
  compare "$old" "$new"
done
