#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures a swarm on shaped links: one seeder and N nodes, each in a network namespace of its own on
a bridge, every link limited both ways by a token bucket. Needs root and iproute2.

    tests/bench/swarm/run.py build/dev/bin/swarm_peer --nodes 8 --mbytes 32 --mbit 50

Prints the last node's time over the bound max(F/u, F/d, N F / (u + sum u)), headers not counted, and
the bytes on the seeder's link over F. Every run makes new namespaces and removes them at the end.
"""
import argparse
import os
import shutil
import subprocess
import sys
import tempfile

PREFIX = f"ls{os.getpid() % 10000}"


def sh(line, check=True):
    subprocess.run(line, shell=True, check=check, stdout=subprocess.DEVNULL,
                   stderr=None if check else subprocess.DEVNULL)


class Site:
    """Bridge and namespaces; member 0 is the seeder."""

    def __init__(self, members, mbit, burst):
        self.members = members
        self.bridge = f"{PREFIX}br"
        sh(f"ip link add {self.bridge} type bridge && ip link set {self.bridge} up")
        for i in range(members):
            self._join(i, mbit, burst)

    def _join(self, i, mbit, burst):
        ns, outer = self.ns(i), f"{PREFIX}v{i}"
        shape = f"root tbf rate {mbit}mbit burst {burst} latency 100ms"
        sh(f"ip netns add {ns}"
           f" && ip link add {outer} type veth peer name eth0 netns {ns}"
           f" && ip link set {outer} master {self.bridge} up"
           f" && ip -n {ns} addr add {self.ip(i)}/16 dev eth0"
           f" && ip -n {ns} link set eth0 up && ip -n {ns} link set lo up"
           f" && ip -n {ns} route add default dev eth0"
           f" && tc qdisc add dev {outer} {shape}"
           f" && tc -n {ns} qdisc add dev eth0 {shape}")

    @staticmethod
    def ns(i):
        return f"{PREFIX}n{i}"

    @staticmethod
    def ip(i):
        return f"10.123.{i // 250}.{i % 250 + 1}"

    def egress(self, i):
        with open(f"/sys/class/net/{PREFIX}v{i}/statistics/rx_bytes") as file:
            return int(file.read())

    def close(self):
        for i in range(self.members):
            sh(f"ip link del {PREFIX}v{i}", check=False)
            sh(f"ip netns del {self.ns(i)}", check=False)
        sh(f"ip link del {self.bridge}", check=False)


def start(options, site, folder, i):
    role = "seed" if i == 0 else "fetch"
    # Every node knows the seeder and the nodes before it, as from a gateway that introduces them.
    peers = [f"{site.ip(k)}:6881" for k in range(i)]
    if options.lsd:
        peers = []
    if options.degree and i > options.degree:
        import random
        rng = random.Random(i)
        peers = peers[:1] + rng.sample(peers[1:], options.degree)
    keys = [f"leaves={folder}/content.leaves", f"gateway={site.ip(0)}", f"queue={options.queue}", f"lsd={int(options.lsd)}"]
    if options.trace:
        keys.append(f"trace={options.trace}/{i}")
    command = ["ip", "netns", "exec", site.ns(i), options.program, role,
               os.path.join(folder, str(i) if i else "content"), str(options.mbytes << 20), f"{site.ip(i)}:6881"]
    return subprocess.Popen(command + peers + keys, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def expect(process, word):
    line = process.stdout.readline().split()
    if not line or line[0] != word:
        sys.exit(f"a peer said {line} instead of {word}")
    return [float(value) for value in line[1:]]


def measure(options, site, folder):
    peers = [start(options, site, folder, i) for i in range(options.nodes + 1)]
    try:
        for peer in peers:
            expect(peer, "ready")
        before = site.egress(0)
        for peer in peers:
            peer.stdin.write("go\n")
            peer.stdin.flush()
        ends = [expect(peer, "done") for peer in peers[1:]]
        return ends, site.egress(0) - before
    finally:
        for peer in peers:
            peer.stdin.close()
        for peer in peers:
            peer.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--nodes", type=int, default=8)
    parser.add_argument("--mbytes", type=int, default=32)
    parser.add_argument("--mbit", type=float, default=50)
    parser.add_argument("--queue", type=int, default=4)
    parser.add_argument("--degree", type=int, default=0)
    parser.add_argument("--burst", default="32kb")
    parser.add_argument("--trace")
    parser.add_argument("--lsd", action="store_true", help="peers are found by multicast alone")
    options = parser.parse_args()
    size, rate, nodes = options.mbytes << 20, options.mbit * 1e6 / 8, options.nodes
    bound = max(size / rate, nodes * size / (rate * (nodes + 1)))
    folder = tempfile.mkdtemp(prefix="swarm-bench-")
    subprocess.run([options.program, "make", f"{folder}/content", str(size)], check=True)
    site = Site(nodes + 1, options.mbit, options.burst)
    try:
        ends, egress = measure(options, site, folder)
    finally:
        site.close()
        shutil.rmtree(folder)
    last = max(end[0] for end in ends)
    from_gateway = sum(end[1] for end in ends)
    received = sum(end[1] + end[2] for end in ends)
    wasted = sum(end[3] for end in ends)
    print(f"nodes={nodes} mbytes={options.mbytes} mbit={options.mbit:g} queue={options.queue}"
          f" lsd={int(options.lsd)} last_s={last:.2f}"
          f" bound_s={bound:.2f} ratio={last / bound:.3f} egress={egress / size:.3f}"
          f" gateway_share={from_gateway / received:.3f} wasted={wasted / received:.4f}")


if __name__ == "__main__":
    main()
