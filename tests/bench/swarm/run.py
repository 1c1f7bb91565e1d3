#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures how long it takes to bring one file from a gateway to N nodes on shaped links, and what
it costs. Needs root, iproute2, and for the yardsticks nginx-light, curl, aria2, udpcast and
python3-libtorrent. Every run makes namespaces of its own and removes them at the end.

    tests/bench/swarm/run.py build/release/bin/swarm_peer --nodes 32 --mbytes 64 --mbit 20
    tests/bench/swarm/run.py build/release/bin/swarm_peer --nodes 16 --with lineside,stock,http

One line a run, as a table (README.md beside this file says what the columns mean); --json for programs.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from contestants import CONTESTANTS  # noqa: E402
from namespaces import Site  # noqa: E402


def rates(options):
    """Mbit/s of each member's link, the gateway's first."""
    slow = options.nodes // 4 if options.mixed else 0
    return [options.mbit] * (1 + options.nodes - slow) + [options.mbit / 10] * slow


def bound(size, mbit):
    """max(F/u, F/d, N F / (u + sum u)) in seconds; no header is counted."""
    bytes_each = [rate * 1e6 / 8 for rate in mbit]
    return max(size / bytes_each[0], size / min(bytes_each),
               (len(mbit) - 1) * size / sum(bytes_each))


def measure(name, site, folder, size, options):
    contestant = CONTESTANTS[name](site, folder, size, options)
    try:
        contestant.prepare()
        before = [site.carried(i) for i in range(len(site.mbit))]
        start = time.monotonic()
        contestant.go()
        ends = contestant.wait(start)
        carried = [[now - then for now, then in zip(site.carried(i), before[i])]
                   for i in range(len(site.mbit))]
        return figures(contestant, site, size, ends, carried)
    finally:
        contestant.close()


def figures(contestant, site, size, ends, carried):
    used = contestant.usage()[1:]
    nodes = len(ends)
    notes = contestant.notes.values()
    row = {"ratio": max(ends) / bound(size, site.mbit), "last_s": max(ends),
           "median_s": sorted(ends)[nodes // 2], "egress": carried[0][0] / size,
           "down": sum(one[1] for one in carried[1:]) / nodes / size,
           "up": sum(one[0] for one in carried[1:]) / nodes / size}
    if used:
        row["cpu_s_per_gb"] = sum(one[0] for one in used) / len(used) / size * 1e9
        row["memory_mb"] = max(one[1] for one in used) / 1e6
    if notes:
        row["start_s"] = max(note["start"] for note in notes)
    if notes and all("wasted" in note for note in notes):
        row["wasted"] = sum(note["wasted"] for note in notes) / nodes / size
    # Of the last minute and of whoever uses this machine: above 1 the figures are too high.
    row["load"] = os.getloadavg()[0] / os.cpu_count()
    return row


def show(name, options, row):
    values = " ".join(f"{key}={value:.3f}" for key, value in row.items())
    kind = "mixed" if options.mixed else "equal"
    print(f"{name} nodes={options.nodes} mbytes={options.mbytes} mbit={options.mbit:g} {kind} {values}",
          flush=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program", help="the bench's swarm_peer")
    parser.add_argument("--with", dest="contestants", default="lineside",
                        help="comma-separated: " + ", ".join(CONTESTANTS))
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--mbytes", type=int, default=32)
    parser.add_argument("--mbit", type=float, default=50)
    parser.add_argument("--mixed", action="store_true", help="a quarter has a tenth of the rate")
    parser.add_argument("--burst", default="32kb", help="of the token buckets")
    parser.add_argument("--queue", type=int, default=4)
    parser.add_argument("--degree", type=int, default=0,
                        help="to how many nodes before it a node is introduced; 0: to all")
    parser.add_argument("--lsd", action="store_true", help="peers are found by multicast alone")
    parser.add_argument("--cap", type=int, default=0, help="bytes/s of the capped nodes")
    parser.add_argument("--capped", type=int, default=0, help="how many of the nodes are capped")
    parser.add_argument("--trace", help="a folder for each member's progress over time")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main():
    options = parse()
    size = options.mbytes << 20
    for name in options.contestants.split(","):
        folder = tempfile.mkdtemp(prefix="swarm-bench-")
        subprocess.run([options.program, "make", f"{folder}/content", str(size)], check=True)
        site = Site(rates(options), options.burst)
        try:
            row = measure(name, site, folder, size, options)
        finally:
            site.close()
            shutil.rmtree(folder)
        if options.json:
            print(json.dumps({"contestant": name, **row}), flush=True)
        else:
            show(name, options, row)


if __name__ == "__main__":
    main()
