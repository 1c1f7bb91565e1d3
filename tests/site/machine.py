# SPDX-License-Identifier: Apache-2.0
"""A whole Debian machine for a test: laid out by debootstrap, booted with its own systemd by
systemd-nspawn, in a network of its own that ends at its loopback."""
import hashlib
import pathlib
import re
import shutil
import signal
import subprocess
import time

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "cache" / "machine"
SUITE = "bookworm"
BASE = ["systemd", "systemd-sysv", "dbus", "libpam-systemd"]


def call(*command, **options):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: exit status {done.returncode}\n"
                           f"{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def dependencies(packages):
    """The Debian packages that these .deb files name in Depends, first alternatives."""
    names = set()
    for package in packages:
        for clause in call("dpkg-deb", "--field", package, "Depends").split(","):
            names.add(re.split(r"[\s(|]", clause.strip())[0])
    return sorted(names)


def base_for(packages):
    """A folder with the suite's minimal system and what `packages` depend on; made once."""
    wanted = BASE + dependencies(packages)
    key = hashlib.sha256(" ".join([SUITE, *wanted]).encode()).hexdigest()[:16]
    base = CACHE / key
    if base.exists():
        return base
    shutil.rmtree(CACHE, ignore_errors=True)
    making = CACHE / f"{key}.partial"
    making.parent.mkdir(parents=True)
    print("laying out a machine: debootstrap", flush=True)
    for attempt in range(3):  # what was fetched is kept, so that a hiccup of the archive costs little
        try:
            call("debootstrap", "--variant=minbase", f"--include={','.join(wanted)}", SUITE, making)
            break
        except RuntimeError:
            if attempt == 2:
                raise
    making.rename(base)
    return base


class Machine:
    """Context manager: booted inside, gone with its folder afterwards."""

    def __init__(self, folder, packages):
        self.root = pathlib.Path(folder) / "machine"
        call("cp", "-a", "--reflink=auto", base_for(packages), self.root)
        self.nspawn = None
        self.leader = None

    def __enter__(self):
        log = open(self.root.parent / "machine.log", "wb")
        self.nspawn = subprocess.Popen(
            ["systemd-nspawn", "--quiet", "--directory", self.root, "--register=no", "--keep-unit",
             "--private-network", "--boot"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.wait("it has booted", lambda: self.booted(), 90)
        return self

    def __exit__(self, *_):
        if self.nspawn.poll() is None:
            self.nspawn.send_signal(signal.SIGTERM)  # asks its init to power off
            try:
                self.nspawn.wait(30)
            except subprocess.TimeoutExpired:
                self.nspawn.kill()
                self.nspawn.wait()

    def booted(self):
        if self.leader is None:
            children = pathlib.Path(f"/proc/{self.nspawn.pid}/task/{self.nspawn.pid}/children")
            found = children.read_text().split() if children.exists() else []
            if not found:
                return False
            self.leader = int(found[0])
        done = subprocess.run(self.inside(["systemctl", "is-system-running"]), text=True,
                              capture_output=True, stdin=subprocess.DEVNULL)
        return done.stdout.strip() in ("running", "degraded")

    def inside(self, command):
        return ["nsenter", "-t", str(self.leader), "-m", "-u", "-i", "-n", "-p", "--",
                *(str(word) for word in command)]

    def run(self, *command):
        return call(*self.inside(command))

    def fails(self, *command):
        return subprocess.run(self.inside(command), capture_output=True,
                              stdin=subprocess.DEVNULL).returncode != 0

    def show(self, unit, name):
        return self.run("systemctl", "show", "--value", "--property", name, unit).strip()

    def install(self, *packages):
        for package in packages:
            shutil.copy(package, self.root / "root")
        names = [f"/root/{pathlib.Path(package).name}" for package in packages]
        return self.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--force-confold", "-i", *names)

    def journal(self, unit, lines=30):
        return self.run("journalctl", "--no-pager", "-n", str(lines), "-u", unit)

    @staticmethod
    def wait(what, holds, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if holds():
                return
            time.sleep(0.2)
        raise AssertionError(f"waited {seconds} s in vain: {what}")


class Inside:
    """Networks of a Plant whose parties all stand in the machine's network."""

    gateway = "127.0.0.1"
    origin = "127.0.0.1"

    def __init__(self, machine):
        self.machine = machine

    def node(self, _index):
        return "127.0.0.1"

    def wrap(self, _party, command):
        return ["nsenter", "-t", str(self.machine.leader), "-n", "--", *command]

    def close(self):
        pass

