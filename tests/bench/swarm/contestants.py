# SPDX-License-Identifier: Apache-2.0
"""Who can bring a file from member 0 to all others. Each starts its processes, waits for the starting
gun, and says when which member had everything."""
import os
import random
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))


class Contestant:
    """Processes by member; a member is done when its process ends, or writes "done"."""

    def __init__(self, site, folder, size, options):
        self.site, self.folder, self.size, self.options = site, folder, size, options
        self.members = len(site.mbit)
        self.processes = []
        self.notes = {}  # what a member says of itself

    def content(self):
        return f"{self.folder}/content"

    def own(self, i):
        return f"{self.folder}/{i}"

    def spawn(self, i, command, **options):
        process = self.site.run(i, command, stderr=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def prepare(self):
        """Everything up to the starting gun."""

    def go(self):
        """The starting gun."""

    def wait(self, start):
        """Seconds until each member but the first had everything."""
        raise NotImplementedError

    def usage(self):
        """CPU seconds and peak memory in bytes of each process that is still there."""
        return [usage for usage in map(used_by, self.processes) if usage]

    def close(self):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


def used_by(process):
    try:
        with open(f"/proc/{process.pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        with open(f"/proc/{process.pid}/status") as file:
            peak = [line.split()[1] for line in file if line.startswith("VmHWM")]
    except OSError:
        return None
    if not peak:
        return None
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, int(peak[0]) * 1024


def make_torrent(content):
    subprocess.run(["/usr/bin/python3", f"{HERE}/stock_peer.py", "torrent", content], check=True)


class Talking(Contestant):
    """Programs that say "ready", wait for a line, and say "done" with figures."""

    def command(self, i):
        raise NotImplementedError

    def prepare(self):
        for i in range(self.members):
            self.spawn(i, self.command(i), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for process in self.processes:
            self._expect(process, "ready")

    def go(self):
        for process in self.processes:
            process.stdin.write("go\n")
            process.stdin.flush()

    @staticmethod
    def _expect(process, word):
        line = process.stdout.readline().split()
        if not line or line[0] != word:
            sys.exit(f"a member said {line} instead of {word}")
        return dict((key, float(value)) for key, value in (part.split("=") for part in line[1:]))

    def wait(self, start):
        for i, process in enumerate(self.processes):
            if i > 0:
                self.notes[i] = self._expect(process, "done")
        return [note["complete"] for note in self.notes.values()]


class Lineside(Talking):
    def command(self, i):
        options = self.options
        peers = [f"{self.site.ip(k)}:6881" for k in self._known(i)]
        keys = [f"leaves={self.content()}.leaves", f"gateway={self.site.ip(0)}",
                f"queue={options.queue}", f"lsd={int(options.lsd)}"]
        if options.trace:
            keys.append(f"trace={options.trace}/{i}")
        if 0 < i <= options.capped:
            keys += [f"up={options.cap}", f"down={options.cap}"]
        return [options.program, "fetch" if i else "seed", self.own(i) if i else self.content(),
                str(self.size), f"{self.site.ip(i)}:6881"] + peers + keys


    def _known(self, i):
        """The gateway and some of the nodes before i, as from a gateway that introduces them."""
        if self.options.lsd:
            return []
        before = list(range(1, i))
        if 0 < self.options.degree < len(before):
            before = random.Random(i).sample(before, self.options.degree)
        return [0] * (i > 0) + before


class Stock(Talking):
    """Debian's libtorrent as it comes, 256 KiB pieces of a v1 torrent."""

    def prepare(self):
        make_torrent(self.content())
        super().prepare()

    def command(self, i):
        peers = [f"{self.site.ip(k)}:6881" for k in range(i)]
        return ["/usr/bin/python3", f"{HERE}/stock_peer.py", "fetch" if i else "seed",
                self.content() if i == 0 else self.own(i), self.content(),
                f"{self.site.ip(i)}:6881"] + peers


class Ending(Contestant):
    """Programs that are started by the gun, and end when their member has everything."""

    def wait(self, start):
        waiting = dict(enumerate(self.processes[1:], 1))
        ends = []
        while waiting:
            for i, process in list(waiting.items()):
                if process.poll() is None:
                    continue
                if process.returncode != 0 or os.path.getsize(self.own(i)) != self.size:
                    sys.exit(f"member {i} ended with {process.returncode} and an incomplete file")
                ends.append(time.monotonic() - start)
                del waiting[i]
            time.sleep(0.01)
        return ends


class Http(Ending):
    """nginx at the gateway, curl at everybody else, all at once."""

    def prepare(self):
        config = f"{self.folder}/nginx.conf"
        with open(config, "w") as file:
            file.write(f"daemon off; master_process off; user root; pid {self.folder}/nginx.pid; error_log stderr;"
                       "events { worker_connections 512; }"
                       f"http {{ access_log off; sendfile on; server {{ listen {self.site.ip(0)}:80;"
                       f" root {self.folder}; }} }}")
        self.spawn(0, ["nginx", "-c", config, "-p", self.folder])
        time.sleep(1)

    def go(self):
        for i in range(1, self.members):
            self.spawn(i, ["curl", "-sf", "-o", self.own(i), f"http://{self.site.ip(0)}/content"])


class Udpcast(Ending):
    """Debian's udpcast, multicast paced at 93 % of the narrowest link."""

    def prepare(self):
        self.spawn(0, ["true"])

    def go(self):
        for i in range(1, self.members):
            self.spawn(i, ["udp-receiver", "--nokbd", "--nosync", "--file", self.own(i),
                           "--interface", "eth0"], stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL)
        pace = int(min(self.site.mbit) * 930)
        receivers = self.members - 1
        self.sender = self.site.run(
            0, ["udp-sender", "--nokbd", "--file", self.content(), "--interface", "eth0",
                "--min-receivers", str(receivers), "--max-bitrate", f"{pace}k"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        self.sender.kill()
        self.sender.wait()
        super().close()


class Aria2(Contestant):
    """Debian's aria2, BitTorrent v1 with 256 KiB pieces; peers by its own tracker-less LPD."""

    def prepare(self):
        make_torrent(self.content())

    def go(self):
        for i in range(self.members):
            folder = self.folder if i == 0 else self.own(i)
            os.makedirs(folder, exist_ok=True)
            command = ["aria2c", "--no-conf", f"--dir={folder}", "--enable-dht=false", "--bt-enable-lpd",
                       "--bt-lpd-interface=eth0", "--enable-peer-exchange=true", "--seed-ratio=0",
                       "--file-allocation=none", "--listen-port=6881", "--bt-max-peers=0",
                       f"--on-bt-download-complete={HERE}/mark_done.sh", "--allow-overwrite=true"]
            if i == 0:
                command.append("--bt-seed-unverified=true")
            self.spawn(i, command + [f"{self.content()}.torrent"], stdout=subprocess.DEVNULL)

    def wait(self, start):
        waiting = set(range(1, self.members))
        ends = []
        while waiting:
            for i in list(waiting):
                if os.path.exists(f"{self.own(i)}/content.done"):
                    ends.append(time.monotonic() - start)
                    waiting.remove(i)
            time.sleep(0.02)
        return ends


CONTESTANTS = {"lineside": Lineside, "http": Http, "stock": Stock, "aria2": Aria2,
               "udpcast": Udpcast}
