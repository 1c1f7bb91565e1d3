# SPDX-License-Identifier: Apache-2.0
"""A site on this machine: a bridge, and a network namespace for each member whose link to it is
limited both ways by a token bucket (TBF; the kernel here need not have netem). Needs root."""
import os
import subprocess

PREFIX = f"lb{os.getpid() % 100000}"


def sh(line, check=True):
    subprocess.run(line, shell=True, check=check, stdout=subprocess.DEVNULL,
                   stderr=None if check else subprocess.DEVNULL)


class Site:
    """Member 0 is the gateway. `mbit` has the rate of each member's link."""

    def __init__(self, mbit, burst):
        self.mbit = mbit
        self.bridge = f"{PREFIX}b"
        sh(f"ip link add {self.bridge} type bridge mcast_snooping 0 && ip link set {self.bridge} up")
        for i, rate in enumerate(mbit):
            self._join(i, f"root tbf rate {rate}mbit burst {burst} latency 100ms")

    def _join(self, i, shape):
        ns, outer = self.ns(i), f"{PREFIX}v{i}"
        sh(f"ip netns add {ns}"
           f" && ip link add {outer} type veth peer name eth0 netns {ns}"
           f" && ip link set {outer} master {self.bridge} up"
           f" && ip -n {ns} addr add {self.ip(i)}/16 brd + dev eth0"
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

    def carried(self, i):
        """Bytes that member i has sent and received, with all headers."""
        totals = []
        for name in ("rx_bytes", "tx_bytes"):  # of the bridge's end
            with open(f"/sys/class/net/{PREFIX}v{i}/statistics/{name}") as file:
                totals.append(int(file.read()))
        return totals

    def run(self, i, command, **options):
        return subprocess.Popen(["ip", "netns", "exec", self.ns(i)] + command, **options)

    def close(self):
        for i in range(len(self.mbit)):
            sh(f"ip link del {PREFIX}v{i}", check=False)
            sh(f"ip netns del {self.ns(i)}", check=False)
        sh(f"ip link del {self.bridge}", check=False)
