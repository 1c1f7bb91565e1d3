# SPDX-License-Identifier: Apache-2.0
"""Every party in a network namespace of its own, on a bridge, behind a shaped link.

    gateway, nodes:  LAN rate both ways        origin: WAN rate both ways

The bridge has a namespace of its own too, so nothing of the machine's own network is touched."""
import os
import shutil
import subprocess
import sys

SUBNET = "10.77.0"
INSIDE = "LINESIDE_TEST_NAMESPACES"


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def enter():
    """Runs this script again in namespaces of its own: of processes, so that all of them end with
    it, however it ends; of mounts and networks, so that its network namespaces vanish as well; and
    if it is not root, of users. There is no network in there but its own loopback."""
    for tool in ("ip", "tc", "unshare"):
        if shutil.which(tool) is None:
            sys.exit(f"{tool} is missing; run: deploy/install-deps.sh test")
    if os.environ.get(INSIDE) == "yes":
        return
    os.environ[INSIDE] = "yes"
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    inside = f'mount -t tmpfs none /run && ip link set lo up && exec {sys.executable} -u "$@"'
    os.execvp("unshare", ["unshare", *as_root, "--net", "--mount", "--pid", "--fork", "--mount-proc",
                          "--kill-child=SIGKILL", "sh", "-c", inside, "sh", *sys.argv])


class Namespaces:
    """`lan_mbit` and `wan_mbit`: link rates. Parties are named as Plant names them."""

    gateway = f"{SUBNET}.1"
    origin = f"{SUBNET}.2"

    def __init__(self, nodes, lan_mbit, wan_mbit):
        self.parties = []
        self.switch = "switch"
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
        port = f"p{len(self.parties)}"
        ip("netns", "add", party)
        self.parties.append(party)
        ip("-n", party, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", self.switch)
        ip("-n", party, "addr", "add", f"{address}/24", "dev", "eth0")
        for namespace, device in ((party, "lo"), (party, "eth0"), (self.switch, port)):
            ip("-n", namespace, "link", "set", device, "up")
        ip("-n", self.switch, "link", "set", port, "master", "br0")
        for namespace, device in ((party, "eth0"), (self.switch, port)):
            subprocess.run(["tc", "-n", namespace, "qdisc", "add", "dev", device, "root", "tbf",
                            "rate", f"{mbit}mbit", "burst", "32kb", "latency", "100ms"], check=True)

    def wrap(self, party, command):
        """What touches no network (party "desk") runs as it is."""
        if party not in self.parties:
            return command
        return ["ip", "netns", "exec", party, *command]

    def sent(self, party):
        """Bytes that left the party's link, headers included."""
        path = "/sys/class/net/eth0/statistics/tx_bytes"
        done = subprocess.run(self.wrap(party, ["cat", path]), check=True, capture_output=True)
        return int(done.stdout)

    def close(self):
        for party in (*self.parties, self.switch):
            subprocess.run(["ip", "netns", "del", party], check=False)
