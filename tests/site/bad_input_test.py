#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people, disks and networks do wrong, done to the real programs: each must end with the right
status, say what is wrong and where, and lose nothing.

usage: bad_input_test.py [CASE]      (a function below whose name ends in _is_…)"""
import contextlib
import http.server
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo"), str(ROOT / "tests" / "site")]

import netns  # noqa: E402
from evidence import facts  # noqa: E402
from plant import CLASSES, Plant, end_on_signals, main_bin  # noqa: E402

PROBE = """{"schema":1,"argv":["{runtime}/check"],
 "cases":[{"name":"one","outputs":{"p":{"file":"cases/golden.npy"}}}]}"""


def expect(done, status, *said):
    """A program ended with that status and said each of these."""
    text = done.stdout + done.stderr
    assert done.returncode == status, f"{done.args}\nexit status {done.returncode}, not {status}\n{text}"
    for part in said:
        assert part in text, f"{done.args}\ndid not say {part!r}:\n{text}"
    print(f"ok: {said[0] if said else done.args}", flush=True)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class Desk(Plant):
    """A plant of one device whose bundles are a few bytes; nothing of it infers."""

    def __init__(self, folder):
        super().__init__(folder, main_bin(), nodes=1)

    def try_(self, program, *args):
        return self.run(program, *args, check=False)

    def bundle(self, version, release=1, hardware=CLASSES[0], more="", payload="x"):
        """A bundle file and its tree; the file."""
        tree = self.folder / "trees" / version
        for name, text in {"firmware/VERSION": version, "runtime/check": payload, "models/labels": "a",
                           "validation/probe.json": PROBE, "validation/cases/golden.npy": "g"}.items():
            write(tree / name, text)
        return write(self.folder / f"{version}.toml",
                     f'name = "press"\nversion = "{version}"\nrelease = {release}\n'
                     f'vendor = "machines.example"\nhardware = ["{hardware}"]\n'
                     f'tree = "{tree}"\n{more}')

    def packed(self, version, **options):
        out = self.folder / "packed" / version
        out.parent.mkdir(exist_ok=True)
        self.vendor("pack", self.bundle(version, **options), "--out", out)
        return out

    def found(self):
        """Vendor with version 1.0.0, site, configuration of gateway and device."""
        self.found_vendor()
        self.publish(self.packed("1.0.0"))
        self.found_site()
        self.write_node(0)

    @property
    def gateway_toml(self):
        return self.folder / "gateway" / "seeder.toml"

    @property
    def node_toml(self):
        return self.folder / "nodes" / self.node_names()[0] / "node.toml"

    def verify(self):
        return self.try_("lineside-bundle", "verify", self.origin_dir / "metadata" / "1.root.json",
                         "--repo", self.origin_dir)

    def found_running(self, *versions):
        """Vendor with these versions besides 1.0.0, and the daemons of the site, started."""
        for number, (version, size) in enumerate(versions):
            payload = random.Random(number).randbytes(size // 2).hex()
            self.publish(self.packed(version, release=number + 2, payload=payload))
        self.start_origin()
        self.start_gateway()
        self.start_node(0)

    def supply_says(self, *said):
        """Waits until the status tells of the gateway's work in these words."""
        def told(status):
            text = f"{status['supply']} {status.get('origin')}"
            return all(part in text for part in said)
        status = self.wait_for(f"the status says {said}", told, 60)
        print(f"ok: {status['supply']['text']}", flush=True)

    def gateway_answers(self):
        self.wait_for("the gateway answers", lambda status: True, 30)

    def logged(self, name, part, seconds=30):
        """Waits until a daemon has said this."""
        end = time.monotonic() + seconds
        log = self.folder / "log" / f"{name}.log"
        while part not in log.read_text():
            assert time.monotonic() < end, f"{name} did not say {part!r}:\n{log.read_text()}"
            time.sleep(0.1)
        print(f"ok: {name} says {part!r}", flush=True)


def configuration_mistake_is_named_with_its_line(desk):
    desk.found()
    files = {"lineside-seeder": (desk.gateway_toml, ["run", "--config", desk.gateway_toml]),
             "lineside-node": (desk.node_toml, ["run", "--config", desk.node_toml]),
             "lineside-bundle": (desk.folder / "1.0.0.toml", ["audit", desk.folder / "1.0.0.toml"]),
             "lineside": (desk.folder / "operator" / "site.toml", ["nodes"])}
    for program, (file, command) in files.items():
        good = file.read_text()
        file.write_text(f'speling = "x"\n{good}')
        expect(desk.try_(program, *command), 2, f"{file}:1:", "speling")
        file.write_text(f"{good}\n[broken\n")
        line = good.count("\n") + 2
        expect(desk.try_(program, *command), 2, f"{file}:{line}:")
        file.rename(f"{file}.away")
        expect(desk.try_(program, *command), 5 if program == "lineside" else 2, str(file.parent))
        pathlib.Path(f"{file}.away").unlink()
        file.write_text(good)


def wrong_signature_is_refused_everywhere(desk):
    desk.found()
    other = Desk(desk.folder / "other")
    other.found()
    before = facts(desk.origin_dir)
    # The vendor's key is another one; then the root that is trusted.
    expect(desk.try_("lineside-bundle", "publish", desk.packed("1.1.0", release=2), "--repo",
                     desk.origin_dir, "--key", other.vendor_key), 1, "bad-signature")
    after = facts(desk.origin_dir)
    assert {path: after.get(path) for path in before} == before, "the origin changed"
    expect(desk.try_("lineside-bundle", "verify", other.origin_dir / "metadata" / "1.root.json",
                     "--repo", desk.origin_dir), 1, "bad-signature")
    # The operator's key is another one.
    desk.start_gateway()
    desk.gateway_answers()
    mine = desk.folder / "operator" / "operator.key"
    good = mine.read_bytes()
    mine.write_bytes((other.folder / "operator" / "operator.key").read_bytes())
    done = desk.try_("lineside", "refresh")
    assert done.returncode not in (0, 2), done
    print(f"ok: {done.stderr.strip()}", flush=True)
    mine.write_bytes(good)
    desk.gateway_answers()


def truncated_delivery_is_found(desk):
    desk.found()
    folder = desk.packed("1.1.0", release=2, payload="y" * 100_000)
    delivery = next((folder / "deliveries").iterdir())
    whole = delivery.read_bytes()
    delivery.write_bytes(whole[:-1])
    expect(desk.try_("lineside-bundle", "publish", folder, "--repo", desk.origin_dir, "--key",
                     desk.vendor_key), 1, f"{len(whole) - 1} bytes, {len(whole)} expected")
    expect(desk.verify(), 0)
    delivery.write_bytes(whole)
    by_hand, out = desk.folder / "by-hand", desk.folder / "applied"
    desk.run("lineside-delta", "diff", "/dev/null", desk.folder / "trees" / "1.1.0", by_hand)
    by_hand.write_bytes(by_hand.read_bytes()[:-1])
    expect(desk.try_("lineside-delta", "apply", "/dev/null", by_hand, out), 2, str(by_hand))
    assert not out.exists(), "half a tree is left"
    desk.publish(folder)
    served = desk.origin_dir / "deliveries" / delivery.name
    served.write_bytes(whole[:-1])
    expect(desk.verify(), 1, delivery.name)


def delivery_truncated_on_the_way_is_refused_and_fetched_again(desk):
    desk.found()
    desk.found_running(("1.1.0", 400_000))
    desk.accept_nodes()
    deliveries = sorted((desk.origin_dir / "deliveries").iterdir(), key=lambda path: path.stat().st_size)
    served = deliveries[-1]
    whole = served.read_bytes()
    served.write_bytes(whole[:-1000])
    desk.operator("refresh")
    desk.operator("rollout", "start", "press/1.1.0", "--yes")
    desk.supply_says("waiting", str(len(whole)))
    kept = desk.folder / "gateway" / "state" / "store" / "deliveries"
    assert not list(kept.glob(served.name)), "a truncated delivery is in the store"
    served.write_bytes(whole)
    desk.wait_for("the gateway has it", lambda status: status["supply"]["state"] == "ready", 60)


@contextlib.contextmanager
def small_disk(folder, size):
    """A disk of that size at the folder, with what was in the folder."""
    before = folder.with_name(f"{folder.name}.before")
    if folder.exists():
        folder.rename(before)
    folder.mkdir(mode=0o700)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", folder], check=True)
    if before.exists():
        shutil.copytree(before, folder, dirs_exist_ok=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def full_disk_is_said_and_loses_nothing(desk):
    desk.found()
    big = desk.bundle("1.1.0", release=2, payload=random.Random(1).randbytes(600_000).hex())
    with small_disk(desk.folder / "small", "300k") as small:
        expect(desk.try_("lineside-bundle", "pack", big, "--out", small / "packed"), 1, "no-space")
        assert not list(small.iterdir()), f"left on the full disk: {list(small.iterdir())}"
        desk.vendor("pack", big, "--out", desk.folder / "packed" / "1.1.0")
        shutil.copytree(desk.origin_dir, small / "origin")
        expect(desk.try_("lineside-bundle", "publish", desk.folder / "packed" / "1.1.0", "--repo",
                         small / "origin", "--key", desk.vendor_key), 1, "no-space")
        assert facts(small / "origin") == facts(desk.origin_dir), "the origin changed"
        filler = small / "filler"
        with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))
        before = facts(small)
        expect(desk.try_("lineside", "--site", small / "site", "site", "init", "--name", "plant-8",
                         "--no-passphrase", "--gateway-key", desk.folder / "gateway" / "gateway.pub"),
               1, "no-space")
        assert facts(small) == before, "half a site is left"


def full_disk_of_the_gateway_is_said_and_the_work_goes_on(desk):
    desk.found()
    with small_disk(desk.folder / "gateway" / "state", "3m"):
        desk.found_running(("1.1.0", 6_000_000))
        desk.accept_nodes()
        desk.operator("refresh")
        desk.operator("rollout", "start", "press/1.1.0", "--yes")
        desk.supply_says("waiting", "space")
        desk.gateway_answers()
        subprocess.run(["mount", "-o", "remount,size=100m", desk.folder / "gateway" / "state"], check=True)
        desk.wait_for("it goes on", lambda status: status["supply"]["state"] == "ready", 90)
        desk.processes["gateway"].stop()


def full_disk_of_a_device_is_said_before_anything_moves(desk):
    desk.found()
    with small_disk(desk.folder / "nodes" / desk.node_names()[0] / "state", "3m") as state:
        desk.found_running(("1.1.0", 6_000_000))
        desk.accept_nodes()
        desk.operator("refresh")
        desk.wait_for("the device reports", lambda status: status["nodes"][0].get("report"), 30)
        done = desk.try_("lineside", "rollout", "start", "press/1.1.0", "--yes")
        assert done.returncode == 5 and "MB free" in done.stderr, f"{done}"
        print(f"ok: {done.stderr.strip()}", flush=True)
        assert not list((state / "slots").glob("*")), "a slot was begun"
        desk.processes[desk.node_names()[0]].stop()


def unknown_key_of_a_device_is_refused_until_accepted(desk):
    desk.found()
    desk.found_running()
    name = desk.node_names()[0]
    desk.logged(name, "pending")
    done = desk.try_("lineside", "accept", name, "--fingerprint", "AAAA-BBBB-CCCC-DDDD")
    assert done.returncode == 6 and "AAAA-BBBB-CCCC-DDDD" in done.stderr, f"{done}"
    print(f"ok: {done.stderr.strip()}", flush=True)
    said = desk.node_json(name, "status")
    assert said["state"] == "idle" and said["confirmed"] is None, said
    documents = desk.folder / "nodes" / name / "state" / "documents"
    assert not list(documents.glob("directive*")), "a device nobody knows was given a directive"
    desk.accept_nodes()
    desk.wait_for("the device reports", lambda status: status["nodes"][0].get("report"), 30)


class Portal(http.server.BaseHTTPRequestHandler):
    """A server that answers everything in its own way."""
    status, body = 404, b""

    def do_GET(self):
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_):
        pass


def foreign_answer_of_the_origin_is_named(desk):
    desk.found()
    server = http.server.ThreadingHTTPServer((desk.network.origin, 7400), Portal)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    desk.start_gateway()
    desk.gateway_answers()
    for Portal.status, Portal.body, said in ((404, b"", "404"),
                                             (200, b"<html>Please log in</html>", "HTML")):
        done = desk.try_("lineside", "refresh")
        assert done.returncode != 0 and said.lower() in done.stderr.lower(), done.stderr
        print(f"ok: {done.stderr.strip()}", flush=True)
    server.shutdown()
    server.server_close()
    desk.start_origin()
    desk.operator("refresh")
    desk.operator("bundles")


def port_in_use_is_named(desk):
    desk.found()
    desk.start_gateway()
    desk.gateway_answers()
    second = desk.folder / "second"
    shutil.copytree(desk.folder / "gateway", second, ignore=shutil.ignore_patterns("state"))
    toml = second / "seeder.toml"
    expect(desk.try_("lineside-seeder", "run", "--config", toml), 1, "7444", "in use")
    toml.write_text(toml.read_text().replace(":7444", ":7455"))
    expect(desk.try_("lineside-seeder", "run", "--config", toml), 1,
           f"{desk.network.gateway}:7443", "in use")
    desk.gateway_answers()
    desk.node_toml.write_text(desk.node_toml.read_text().replace(
        f"{desk.network.node(0)}:7444", f"{desk.network.gateway}:7444"))
    expect(desk.try_("lineside-node", "run", "--config", desk.node_toml), 3, "7444", "in use")


def bundle_for_other_hardware_is_not_rolled_out(desk):
    desk.found()
    desk.publish(desk.packed("2.0.0", release=2, hardware="robot-arm"))
    desk.start_origin()
    desk.start_gateway()
    desk.start_node(0)
    desk.accept_nodes()
    desk.operator("refresh")
    name = desk.node_names()[0]
    for options in ([], ["--device", name]):
        done = desk.try_("lineside", "rollout", "start", "press/2.0.0", "--yes", *options)
        assert done.returncode == 5 and "robot-arm" in done.stderr, done
        print(f"ok: {done.stderr.strip()}", flush=True)
    assert "rollout" not in desk.status(), "a rollout began"
    # And what the operator's other mistakes come to.
    expect(desk.try_("lineside", "rollout", "start", "press/9.9.9", "--yes"), 5, "press/9.9.9")
    expect(desk.try_("lineside", "accept", "nobody", "--fingerprint", "AAAA-BBBB"), 5,
           "nobody does not ask to be enrolled")
    shown = desk.run("lineside-node", "key", "--config", desk.node_toml).stdout.split()
    print_of = next(word for word in shown if word.count("-") == 3)
    expect(desk.try_("lineside", "accept", name, "--fingerprint", print_of), 0, "is accepted already")
    bad = write(desk.folder / "list.csv", f"device,fingerprint\n{name},{print_of}\nnobody\n")
    done = desk.try_("lineside", "accept", "--csv", bad)
    assert done.returncode != 0 and f"{bad}:3: expected DEVICE,FINGERPRINT" in done.stderr, done.stderr
    expect(desk.try_("lineside", "site", "init", "--name", "plant-9", "--gateway-key",
                     desk.folder / "gateway" / "gateway.pub"), 5, "holds site plant-7 already")


CASES = {name: case for name, case in list(globals().items())
         if callable(case) and any(f"_{verb}" in name for verb in ("is_named", "is_refused", "is_found",
                                                                   "is_said", "is_not_rolled"))}


def main():
    names = sys.argv[1:] or list(CASES)
    if not set(names) <= set(CASES):
        sys.exit(f"{__doc__}\ncases: {' '.join(CASES)}")
    netns.enter()
    end_on_signals()
    for name in names:
        print(f"== {name}", flush=True)
        with tempfile.TemporaryDirectory(prefix="lineside-bad-") as folder:
            desk = Desk(folder)
            try:
                CASES[name](desk)
            finally:
                desk.stop_all()


if __name__ == "__main__":
    main()
