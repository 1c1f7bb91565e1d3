# SPDX-License-Identifier: Apache-2.0
"""Every party in a network namespace of its own, on a bridge, behind a shaped link.

    gateway, nodes:  LAN rate both ways        origin: WAN rate both ways

The bridge has a namespace of its own too, so nothing of the machine's own network is touched."""
import os
import shutil
import subprocess
import sys

SUBNET = "10.77.0"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def enter():
    """Runs this script again where it may make network namespaces: as root it may already, else in
    a user namespace of its own."""
    for tool in ("ip", "tc", "unshare"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing; run: deploy/install-deps.sh test")
    if os.geteuid() == 0:
        return
    inside = f'mount -t tmpfs none /run && exec {sys.executable} "$@"'
    os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--net", "--mount", "sh", "-c",
                          inside, "sh", *sys.argv])


class Namespaces:
    """`lan_mbit` and `wan_mbit`: link rates. Parties are named as Plant names them."""

    gateway = f"{SUBNET}.1"
    origin = f"{SUBNET}.2"

    def __init__(self, nodes, lan_mbit, wan_mbit):
        self.prefix = f"ls{os.getpid()}-"
        self.parties = []
        self.switch = self.prefix + "switch"
        ip("netns", "add", self.switch)
        ip("-n", self.switch, "link", "add", "br0", "type", "bridge")
        ip("-n", self.switch, "link", "set", "br0", "up")
        self.add("gateway", self.gateway, lan_mbit)
        self.add("origin", self.origin, wan_mbit)
        for index in range(nodes):
            self.add(f"node{index}", self.node(index), lan_mbit)

    def node(self, index):
        return f"{SUBNET}.{index + 11}"

    def add(self, party, address, mbit):
        name = self.prefix + party
        port = f"p{len(self.parties)}"
        ip("netns", "add", name)
        self.parties.append(party)
        ip("-n", name, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", self.switch)
        ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        for namespace, device in ((name, "lo"), (name, "eth0"), (self.switch, port)):
            ip("-n", namespace, "link", "set", device, "up")
        ip("-n", self.switch, "link", "set", port, "master", "br0")
        for namespace, device in ((name, "eth0"), (self.switch, port)):
            subprocess.run(["tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf",
                            "rate", f"{mbit}mbit", "burst", "32kb", "latency", "100ms"], check=True)

    def wrap(self, party, command):
        """What touches no network (party "desk") runs as it is."""
        if party not in self.parties:
            return command
        return ["ip", "netns", "exec", self.prefix + party, *command]

    def sent(self, party):
        """Bytes that left the party's link, headers included."""
        path = "/sys/class/net/eth0/statistics/tx_bytes"
        done = subprocess.run(self.wrap(party, ["cat", path]), check=True, capture_output=True)
        return int(done.stdout)

    def close(self):
        for party in self.parties:
            subprocess.run(["ip", "netns", "del", self.prefix + party], check=False)
        subprocess.run(["ip", "netns", "del", self.switch], check=False)
