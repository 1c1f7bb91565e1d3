#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every command of "How to run a real site" in the main README, in its order and as it stands
there, on a bundle of a few bytes that really infers in its own way: it answers its golden output."""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo"), str(ROOT / "tests" / "site")]

import netns  # noqa: E402
from plant import Process, end_on_signals, main_bin  # noqa: E402

GATEWAY, ORIGIN, NODE = "10.0.0.2", "10.0.0.3", "10.0.0.4"  # the first is in the README
DEVICE = "line3-cam07"  # so is this
SEEDER_TOML = f"""state = "gateway"
site = "plant-7"
site_root = "1.root.json"
vendor_root = "vendor.root.json"
origin = "http://{ORIGIN}:7400"
listen = "{GATEWAY}:7443"
poll_ms = 300

[swarm]
listen = ["{GATEWAY}:7444"]
announce = "{GATEWAY}:7444"
"""
NODE_TOML = f"""[device]
id = "{DEVICE}"
hardware = ["ipc-press"]
state = "device"

[site]
name = "plant-7"
root = "1.root.json"

[vendor]
root = "vendor.root.json"

[gateway]
addresses = ["https://{GATEWAY}:7443"]

[swarm]
listen = "{NODE}:7444"
"""
PROBE = {"schema": 1, "argv": ["/usr/bin/python3", "-I", "{validation}/run.py"],
         "cases": [{"name": "one", "outputs": {"p": {"file": "golden.npy"}}}]}
RUN = """import json, os, shutil
channel = os.fdopen(int(os.environ["LINESIDE_RESULT_FD"]), "w", buffering=1)
shutil.copy(os.path.join(os.path.dirname(os.environ["LINESIDE_CASES"]), "golden.npy"),
            os.path.join(os.environ["LINESIDE_OUT"], "p.npy"))
for line in ({"t": "start", "schema": 1, "provider": "CPU", "runtime": {}},
             {"t": "case", "name": "one", "outputs": {"p": "p.npy"}}, {"t": "done"}):
    channel.write(json.dumps(line) + "\\n")
"""


def blocks():
    """(language, lines) of each code block of that section."""
    text = (ROOT / "README.md").read_text()
    section = text.split("## How to run a real site")[1].split("\n## ")[0]
    for language, body in re.findall(r"^ *```(\w*)\n(.*?)^ *```", section, re.M | re.S):
        yield language, [line.strip() for line in body.splitlines()]


def npy(value):
    """One float32 as numpy writes it, format 1.0."""
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + value


class Desk:
    """All machines of the README in one folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "passphrase").write_text("correct horse\n")
        self.env = dict(os.environ, PATH=f"{main_bin()}:{os.environ['PATH']}",
                        LINESIDE_SITE=str(self.folder / "operator"),
                        LINESIDE_PASSPHRASE_FILE=str(self.folder / "passphrase"))
        self.daemons = []

    def put(self, name, content):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def lay_tree(self, bundle_toml):
        self.put("vision-1.0.0.toml", bundle_toml)
        self.put("vision-1.0.0/firmware/VERSION", "4.3.0\n")
        self.put("vision-1.0.0/runtime/README", "the device's own Python\n")
        self.put("vision-1.0.0/models/labels", "a b c\n")
        self.put("vision-1.0.0/validation/probe.json", json.dumps(PROBE))
        self.put("vision-1.0.0/validation/run.py", RUN)
        self.put("vision-1.0.0/validation/golden.npy", npy(b"\x00\x00\x80?"))
        self.put("seeder.toml", SEEDER_TOML)
        self.put("node.toml", NODE_TOML)

    def run(self, command, good=(0,)):
        done = subprocess.run(command, cwd=self.folder, env=self.env, text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, check=False)
        assert done.returncode in good, f"{command}: exit status {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def spawn(self, *command):
        log = self.folder / f"{command[0]}.log"
        daemon = Process(command[0], ["env", "-C", str(self.folder), *command], log)
        daemon.start()
        self.daemons.append(daemon)

    def until(self, what, holds, seconds=60):
        end = time.monotonic() + seconds
        while not holds():
            logs = "".join(f"--- {one.name}\n{one.tail()}\n" for one in self.daemons)
            assert time.monotonic() < end, f"in vain: {what}\n{logs}"
            time.sleep(0.2)

    def json(self, *command):
        done = subprocess.run([*command, "--json"], cwd=self.folder, env=self.env, text=True,
                              capture_output=True, check=False)
        return json.loads(done.stdout) if done.stdout else {}

    def pending(self):
        return {row["device"]: row["fingerprint"] for row in self.json("lineside", "nodes").get("pending", [])}

    def confirmed(self):
        rows = self.json("lineside", "status").get("nodes", [])
        return [row["report"]["version"] for row in rows if row.get("report")] == ["1.0.0"]

    # What a person does between the commands.

    def before(self, words):
        if words[:3] == ["lineside", "site", "init"]:
            shutil.copy(self.folder / "origin/metadata/1.root.json", self.folder / "vendor.root.json")
        if words[:2] == ["lineside", "plan"]:
            self.until("the gateway knows the bundle", lambda: any(
                row["held"] or row["mirrored"] or row["name"] for row in
                self.json("lineside", "bundles").get("bundles", [])))
        if words[:2] == ["lineside-node", "key"]:
            self.until("the device waits", lambda: DEVICE in self.pending())

    def after(self, words):
        if words[:3] == ["lineside", "site", "init"]:
            shutil.copy(self.folder / "operator/1.root.json", self.folder / "1.root.json")
            self.spawn(str(main_bin() / "static_origin"), "--root", "origin", "--listen", f"{ORIGIN}:7400")
        if words[:3] == ["lineside", "rollout", "start"]:
            self.until("the device infers on 1.0.0", self.confirmed)

    def follow(self, words):
        self.before(words)
        if words[0] in ("lineside-seeder", "lineside-node") and words[1] == "run":
            self.spawn(str(main_bin() / words[0]), *words[1:])
            if words[0] == "lineside-seeder":
                self.until("the gateway answers", lambda: "nodes" in self.json("lineside", "nodes"))
        elif "--watch" in words:
            self.run(["timeout", "3", *words], good=(124,))
        elif words[:2] == ["lineside", "accept"]:
            words[words.index("--fingerprint") + 1] = self.pending()[DEVICE]
            self.run(words)
        elif words[:3] == ["lineside", "rollout", "start"]:
            self.run([*words, "--yes"])
        elif words[:3] == ["lineside", "rollout", "pause"]:
            self.run(words, good=(0, 5))  # with one device it may be over
        else:
            self.run(words)
        self.after(words)
        print(f"ok: {shlex.join(words)}", flush=True)


def main():
    netns.enter()
    end_on_signals()
    for address in (GATEWAY, ORIGIN, NODE):
        netns.ip("addr", "add", f"{address}/32", "dev", "lo")
    with tempfile.TemporaryDirectory(prefix="lineside-readme-") as folder:
        desk = Desk(folder)
        desk.lay_tree("\n".join(next(body for language, body in blocks() if language == "toml")))
        commands = [shlex.split(line, comments=True) for language, body in blocks() if not language
                    for line in body]
        assert len(commands) > 15, commands
        try:
            for words in commands:
                desk.follow(words)
        finally:
            for daemon in reversed(desk.daemons):
                daemon.stop()


if __name__ == "__main__":
    main()
