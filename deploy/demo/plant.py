# SPDX-License-Identifier: Apache-2.0
"""A whole plant on one machine: vendor, origin, gateway, operator and devices, each a real process
with its own folder and key. The quickstart shows it; the site tests put it into network namespaces
and break it.

    plant = Plant(folder, bin_dir, network=Loopback())
    plant.found(vendor trees …)      # keys, origin, site root
    plant.start_gateway(); plant.start_nodes(); plant.accept_nodes()
    plant.operator("rollout", "start", "line-audio/1.0.0.json", …)
    plant.wait_for("all confirmed", lambda status: …)
"""
import json
import os
import pathlib
import secrets
import signal
import subprocess
import sys
import time

CLASSES = ["ipc-mixer", "ipc-press", "ipc-robot"]
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PlantError(Exception):
    pass


def interrupt(number, _frame):
    raise KeyboardInterrupt(f"ended by {signal.Signals(number).name}")


def end_on_signals():
    """Whoever ends this program ends the site with it: the signals unwind to `finally`."""
    for number in END_SIGNALS:
        signal.signal(number, interrupt)


class Loopback:
    """Every party has an address of its own in 127.0.0.0/8, which needs no privileges."""

    gateway = "127.7.0.1"
    origin = "127.7.0.2"
    page = "127.7.0.1:8443"

    def node(self, index):
        return f"127.7.1.{index + 1}"

    def wrap(self, party, command):
        return command

    def close(self):
        pass


class Process:
    def __init__(self, name, command, log):
        self.name = name
        self.command = command
        self.log = log
        self.popen = None
        self.stopped = False  # by us

    def start(self):
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(self.command, stdout=log, stderr=log,
                                          stdin=subprocess.DEVNULL, start_new_session=True)
        self.stopped = False

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def stop(self, how=signal.SIGTERM, seconds=20):
        if self.stopped or not self.running():
            return
        self.stopped = True
        self.popen.send_signal(how)
        try:
            self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait()

    def tail(self, lines=15):
        try:
            text = pathlib.Path(self.log).read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(f"    {line}" for line in text[-lines:])


class Plant:
    def __init__(self, folder, bin_dir, network=None, nodes=8, lan_rate=0, wan_rate=0, poll_ms=500,
                 live_check="30s"):
        self.folder = pathlib.Path(folder).resolve()
        self.bin = pathlib.Path(bin_dir).resolve()
        self.network = network or Loopback()
        self.count = nodes
        self.lan_rate = lan_rate
        self.wan_rate = wan_rate
        self.poll_ms = poll_ms
        self.live_check = live_check
        self.origin_dir = self.folder / "vendor" / "origin"
        self.processes = {}
        (self.folder / "log").mkdir(parents=True, exist_ok=True)

    # ---- names -----------------------------------------------------------------------------------

    def node_names(self):
        return [f"line{1 + index % 3}-cell{index // 3 + 1:02d}" for index in range(self.count)]

    def hardware(self, index):
        return CLASSES[index % len(CLASSES)]

    # ---- running programs ------------------------------------------------------------------------

    def run(self, program, *args, party="desk", check=True, show=False, env=()):
        """Runs one of our programs to its end; its standard output."""
        command = [str(self.bin / program), *map(str, args)]
        env = dict(os.environ, LINESIDE_SITE=str(self.folder / "operator"), **dict(env))
        done = subprocess.run(self.network.wrap(party, command), env=env, text=True,
                              capture_output=not show, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise PlantError(f"{' '.join(command)}: exit status {done.returncode}\n"
                             f"{done.stdout or ''}{done.stderr or ''}")
        return done

    def vendor(self, *args, **options):
        return self.run("lineside-bundle", *args, party="desk", **options)

    def operator(self, *args, **options):
        return self.run("lineside", *args, party="gateway", **options)

    def spawn(self, name, party, program, *args):
        command = self.network.wrap(party, [str(self.bin / program), *map(str, args)])
        process = Process(name, command, self.folder / "log" / f"{name}.log")
        process.start()
        self.processes[name] = process
        self.pids().write_text("".join(f"{one.popen.pid}\n" for one in self.processes.values()))
        return process

    def pids(self):
        """The file that says what to kill when whoever started the site is gone."""
        return self.folder / "pids"

    def stop_all(self):
        """Nothing is left running, however often somebody presses Ctrl-C meanwhile."""
        before = [signal.signal(number, signal.SIG_IGN) for number in END_SIGNALS]
        for process in reversed(list(self.processes.values())):
            if process.running():
                process.popen.send_signal(signal.SIGTERM)
        for process in self.processes.values():
            process.stop()
        self.network.close()
        self.pids().unlink(missing_ok=True)
        for number, handler in zip(END_SIGNALS, before):
            signal.signal(number, handler)

    # ---- vendor and origin -----------------------------------------------------------------------

    @property
    def vendor_key(self):
        return self.folder / "vendor" / "vendor.key"

    def found_vendor(self):
        self.vendor("key", "generate", self.vendor_key, "--no-passphrase")
        self.vendor("repo", "init", self.origin_dir, "--key", self.vendor_key)

    def publish(self, packed):
        self.vendor("publish", packed, "--repo", self.origin_dir, "--key", self.vendor_key)

    def start_origin(self):
        args = ["--root", self.origin_dir, "--listen", f"{self.network.origin}:7400"]
        if self.wan_rate:
            args += ["--rate", self.wan_rate]
        self.spawn("origin", "origin", "static_origin", *args)

    def stop_origin(self):
        self.processes["origin"].stop()

    # ---- site and gateway ------------------------------------------------------------------------

    def found_site(self):
        """The gateway's key and configuration, the operator's key, the site's root."""
        home = self.folder / "gateway"
        home.mkdir(parents=True, exist_ok=True)
        (home / "vendor.root.json").write_bytes(
            (self.origin_dir / "metadata" / "1.root.json").read_bytes())
        (home / "seeder.toml").write_text(f"""\
state = "state"
site = "plant-7"
site_root = "1.root.json"
vendor_root = "vendor.root.json"
origin = "http://{self.network.origin}:7400"
listen = "{self.network.gateway}:7443"
poll_ms = {self.poll_ms}

[swarm]
listen = ["{self.network.gateway}:7444"]
announce = "{self.network.gateway}:7444"
upload_limit = {self.lan_rate}

[wan]
refresh = "2s"

[synthesis]
effort = 1
{self.page_section()}""")
        self.run("lineside-seeder", "key", "--config", home / "seeder.toml", "--public",
                 home / "gateway.pub")
        self.operator("site", "init", "--name", "plant-7", "--no-passphrase",
                      "--gateway-key", home / "gateway.pub",
                      "--gateway", f"{self.network.gateway}:7443", "--vendor-root", home / "vendor.root.json")
        self.site_root = self.folder / "operator" / "1.root.json"
        (home / "1.root.json").write_bytes(self.site_root.read_bytes())

    def page_section(self):
        """The page is served where a browser of this machine can reach it."""
        address = getattr(self.network, "page", None)
        return f'\n[page]\nlisten = "{address}"\n' if address else ""

    def add_page_user(self, name):
        """Someone who may log in to the page; the passphrase."""
        passphrase = secrets.token_urlsafe(9)
        file = self.folder / "gateway" / "page-passphrase"
        file.touch(mode=0o600)
        file.write_text(passphrase + "\n")
        self.run("lineside-seeder", "user", "add", name, "--config", self.folder / "gateway" / "seeder.toml",
                 env={"LINESIDE_PASSPHRASE_FILE": str(file)})
        return passphrase

    def start_gateway(self):
        return self.spawn("gateway", "gateway", "lineside-seeder", "run", "--config",
                          self.folder / "gateway" / "seeder.toml")

    # ---- devices ---------------------------------------------------------------------------------

    def write_node(self, index):
        name = self.node_names()[index]
        home = self.folder / "nodes" / name
        home.mkdir(parents=True, exist_ok=True)
        address = self.network.node(index)
        (home / "site.root.json").write_bytes(self.site_root.read_bytes())
        (home / "vendor.root.json").write_bytes(
            (self.folder / "gateway" / "vendor.root.json").read_bytes())
        (home / "node.toml").write_text(f"""\
[device]
id = "{name}"
hardware = ["{self.hardware(index)}"]
state = "state"

[site]
name = "plant-7"
root = "site.root.json"

[vendor]
root = "vendor.root.json"

[gateway]
addresses = ["https://{self.network.gateway}:7443"]

[live]
check_every = "{self.live_check}"

[swarm]
listen = "{address}:7444"
upload_bytes_per_second = {self.lan_rate}
download_bytes_per_second = {self.lan_rate}
""")
        return name

    def start_node(self, index):
        name = self.node_names()[index]
        return self.spawn(name, f"node{index}", "lineside-node", "run", "--config",
                          self.folder / "nodes" / name / "node.toml")

    def start_nodes(self):
        for index in range(self.count):
            self.write_node(index)
            self.start_node(index)

    def node_json(self, name, *command):
        done = self.run("lineside-node", *command, "--json", "--config",
                        self.folder / "nodes" / name / "node.toml", check=False)
        return json.loads(done.stdout)

    def accept_nodes(self, seconds=60):
        """Each device by its fingerprint, as a person at commissioning would; the first of each
        class may be a canary."""
        pending = {}

        def all_pending(_status):
            done = self.operator("nodes", "--json")
            pending.update({row["device"]: row for row in json.loads(done.stdout)["pending"]})
            return len(pending) == self.count

        self.wait_for("all devices ask to be enrolled", all_pending, seconds)
        for index, name in enumerate(self.node_names()):
            shown = self.run("lineside-node", "key", "--config",
                             self.folder / "nodes" / name / "node.toml").stdout.split()
            fingerprint = pending[name]["fingerprint"]
            if fingerprint not in shown:
                raise PlantError(f"{name} shows the fingerprint {shown}, the gateway {fingerprint}")
            canary = ["--canary"] if index < len(CLASSES) else []
            self.operator("accept", name, "--fingerprint", fingerprint, *canary)

    # ---- waiting ---------------------------------------------------------------------------------

    def status(self):
        done = self.operator("status", "--json", check=False)
        return json.loads(done.stdout) if done.returncode in (0, 3) else None

    def patience(self, seconds):
        """What is enough for eight agents on this machine, for as many as there are."""
        return seconds * max(1.0, self.count / 8)

    def wait_for(self, what, holds, seconds=120, on_status=None):
        """Asks the gateway until `holds(status)`; fails after `seconds`, with more than eight devices
        after proportionally more, and shows the logs' ends."""
        seconds = self.patience(seconds)
        end = time.monotonic() + seconds
        status = None
        while time.monotonic() < end:
            status = self.status()
            if on_status and status:
                on_status(status)
            if status is not None and holds(status):
                return status
            self.check_alive()
            time.sleep(0.3)
        raise PlantError(f"waited {seconds:.0f} s in vain: {what}\n"
                         f"{json.dumps(status, indent=1)[:6000]}\n{self.tails()}")

    def wait_for_nodes(self, what, holds, seconds=120):
        """The same, asking the devices themselves: for when there is no gateway."""
        seconds = self.patience(seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            states = {name: self.node_json(name, "status") for name in self.node_names()}
            if holds(states):
                return states
            self.check_alive()
            time.sleep(0.5)
        raise PlantError(f"waited {seconds:.0f} s in vain: {what}\n"
                         f"{json.dumps(states, indent=1)[:6000]}\n{self.tails()}")

    def check_alive(self):
        """Each daemon that nobody stopped runs still, under the process id that it began with."""
        for process in self.processes.values():
            if not process.stopped and not process.running():
                raise PlantError(f"{process.name} ended with status {process.popen.poll()}\n"
                                 f"{process.tail()}")

    def tails(self):
        return "\n".join(f"--- {process.name}\n{process.tail(6)}"
                         for process in self.processes.values())


def confirmed(status, version):
    """All enrolled nodes run `version`, infer, and their rollout has ended for them."""
    rows = [row for row in status["nodes"] if not row["revoked"]]
    return bool(rows) and all(
        row.get("report") and row["report"]["version"] == version and row["report"]["inferring"]
        and row["report"]["state"] == "confirmed" for row in rows)


def main_bin():
    return pathlib.Path(__file__).resolve().parents[2] / "build" / "release" / "bin"


if __name__ == "__main__":
    sys.exit("this is a library; run deploy/quickstart.sh")
