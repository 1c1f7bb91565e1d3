#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Debian packages on a machine with a real systemd: installed, commissioned, a rollout, the watchdog,
an upgrade, and purged. Needs build/packages (deploy/package.sh).

usage: packages_test.py"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo"), str(ROOT / "tests" / "site")]

from bundles import packed  # noqa: E402
from machine import Inside, Machine, call  # noqa: E402
from plant import Plant, confirmed, end_on_signals, main_bin  # noqa: E402

DEVICE = "line1-cell01"


def expect(truth, what):
    if not truth:
        raise AssertionError(what)
    print(f"ok: {what}", flush=True)


def packages():
    return sorted((ROOT / "build" / "packages").glob("*.deb"))


def installs_and_waits_for_commissioning(machine):
    machine.install(*packages())
    for unit in ("lineside-node", "lineside-seeder"):
        expect(machine.show(unit, "ActiveState") == "inactive"
               and machine.show(unit, "ConditionResult") == "no",
               f"{unit} waits for the site's root")
        expect(machine.run("id", "-un", unit).strip() == unit, f"{unit} has a user of its own")


def units_are_hardened():
    for unit, most in (("lineside-seeder", 2.0), ("lineside-node", 3.0)):
        file = ROOT / "deploy" / "systemd" / f"{unit}.service"
        said = call("systemd-analyze", "security", "--offline=true", file)
        exposure = float(re.search(r"exposure level for \S+: ([0-9.]+)", said).group(1))
        expect(exposure <= most, f"{unit}: exposure {exposure} of at most {most}")


def configure(machine, plant):
    """What somebody at commissioning does: two files edited, two roots carried over."""
    etc = machine.root / "etc" / "lineside"
    seeder = (etc / "seeder.toml").read_text()
    seeder = re.sub(r'origin +=.*', 'origin = "http://127.0.0.1:7400"', seeder)
    (etc / "seeder.toml").write_text(seeder.replace("[wan]", '[wan]\nrefresh = "2s"'))
    node = (etc / "node.toml").read_text()
    node = re.sub(r'addresses = .*', 'addresses = ["https://127.0.0.1:7443"]', node)
    (etc / "node.toml").write_text(node)
    (etc / "vendor.root.json").write_bytes((plant.origin_dir / "metadata" / "1.root.json").read_bytes())


def as_user(unit, *command):
    return ["runuser", "-u", unit, "--", unit, *command]


def commission(machine, plant):
    key = machine.root / "var" / "lib" / "lineside-seeder" / "gateway.pub"
    machine.run(*as_user("lineside-seeder", "key", "--public", "/var/lib/lineside-seeder/gateway.pub"))
    plant.operator("site", "init", "--name", "plant-7", "--no-passphrase", "--gateway-key", key,
                   "--gateway", "127.0.0.1:7443",
                   "--vendor-root", machine.root / "etc" / "lineside" / "vendor.root.json")
    shown = machine.run(*as_user("lineside-node", "key")).split()[0]
    root = machine.root / "etc" / "lineside" / "1.root.json"
    root.write_bytes((plant.folder / "operator" / "1.root.json").read_bytes())
    machine.run("systemctl", "start", "lineside-seeder.socket", "lineside-seeder", "lineside-node")
    for unit in ("lineside-seeder", "lineside-node"):
        expect(machine.show(unit, "ActiveState") == "active", f"{unit} says that it is ready")

    def asks(_status):
        return DEVICE in plant.operator("nodes", "--json").stdout

    plant.wait_for("the device asks to be enrolled", asks)
    plant.operator("accept", DEVICE, "--fingerprint", shown, "--canary")


def rolls_out(machine, plant):
    plant.operator("rollout", "start", "line-audio/1.0.0.json", "--soak", "1s", "--yes")
    try:
        plant.wait_for("the device runs 1.0.0", lambda status: confirmed(status, "1.0.0"), 180)
    except Exception:
        print(machine.journal("lineside-node"), machine.journal("lineside-seeder"))
        raise
    expect(True, "the bundle's inference check passed under the unit's restrictions")


def watchdog_restarts(machine, unit):
    """A daemon that stands still is replaced; what it had begun goes on."""
    drop = f"/run/systemd/system/{unit}.service.d"
    machine.run("mkdir", "-p", drop)
    machine.run("sh", "-c", f"printf '[Service]\\nWatchdogSec=4\\n' >{drop}/quick.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "restart", unit)
    before = machine.show(unit, "MainPID")
    machine.run("systemctl", "kill", "--kill-whom=main", "--signal=STOP", unit)
    machine.wait(f"{unit} is restarted",
                 lambda: machine.show(unit, "ActiveState") == "active"
                 and machine.show(unit, "MainPID") not in (before, "0"))
    expect(machine.show(unit, "NRestarts") != "0", f"a {unit} that stands still is restarted")


def next_version(folder):
    """The same packages, one version on."""
    made = []
    for package in packages():
        tree = pathlib.Path(folder) / package.stem
        call("dpkg-deb", "--raw-extract", package, tree)
        control = tree / "DEBIAN" / "control"
        control.write_text(control.read_text().replace("Version: ", "Version: 9:"))
        made.append(pathlib.Path(folder) / f"next-{package.name}")
        call("dpkg-deb", "--root-owner-group", "--build", tree, made[-1])
    return made


def upgrades(machine, plant, folder):
    before = (machine.root / "etc" / "lineside" / "node.toml").read_text()
    machine.install(*next_version(folder))
    expect((machine.root / "etc" / "lineside" / "node.toml").read_text() == before,
           "an edited configuration survives an upgrade")
    plant.wait_for("the device is heard of again", lambda status: confirmed(status, "1.0.0"))
    expect(True, "gateway and device go on after an upgrade")


def purges(machine):
    machine.run("env", "DEBIAN_FRONTEND=noninteractive", "dpkg", "--purge", "lineside-node",
                "lineside-seeder", "lineside-tools")
    left = machine.run("sh", "-c", "ls -d /var/lib/lineside-* /lib/systemd/system/lineside-* "
                       "/usr/bin/lineside* /etc/systemd/system/*/lineside-* 2>/dev/null || true")
    expect(left.strip() == "", "nothing is left after purging")
    expect(machine.fails("systemctl", "is-active", "--quiet", "lineside-node"), "nothing runs any more")


def main():
    end_on_signals()
    if not packages():
        sys.exit("no packages in build/packages: run deploy/package.sh")
    call("lintian", "--fail-on", "error,warning", *packages())
    expect(True, "lintian finds no error and no warning")
    units_are_hardened()
    with tempfile.TemporaryDirectory(prefix="lineside-packages-") as folder:
        with Machine(folder, packages()) as machine:
            installs_and_waits_for_commissioning(machine)
            plant = Plant(pathlib.Path(folder) / "plant", main_bin(), Inside(machine), nodes=1)
            try:
                plant.found_vendor()
                plant.publish(packed(plant, "1.0.0"))
                plant.start_origin()
                configure(machine, plant)
                commission(machine, plant)
                rolls_out(machine, plant)
                watchdog_restarts(machine, "lineside-node")
                watchdog_restarts(machine, "lineside-seeder")
                upgrades(machine, plant, folder)
                purges(machine)
            finally:
                plant.stop_all()


if __name__ == "__main__":
    try:
        main()
    except (AssertionError, subprocess.SubprocessError) as error:
        sys.exit(f"packages_test: {error}")
