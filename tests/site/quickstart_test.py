#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The quickstart itself, where there is no network but loopback.

usage: quickstart_test.py runs_without_registry | leaves_nothing_when_interrupted"""
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo"), str(ROOT / "tests" / "site")]

import evidence  # noqa: E402
import netns  # noqa: E402

BUILD = ROOT / "build" / "cache"
QUICKSTART = [sys.executable, "-u", ROOT / "deploy" / "demo" / "quickstart.py", "--nodes", "3", "--dir"]


def runs_without_registry(folder):
    """All steps of deploy/quickstart.sh but the compiler's, on a machine that has run it before."""
    for step in (["deploy/install-deps.sh", "build", "run"],
                 ["deploy/demo/payloads.sh", BUILD / "downloads", BUILD / "trees"]):
        done = subprocess.run(step, cwd=ROOT, capture_output=True, text=True, check=True)
        assert not done.stdout and not done.stderr, f"{step[0]} had something to do: {done}"
    done = subprocess.run([*QUICKSTART, folder, "--keep"], stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, f"exit status {done.returncode}"
    assert "All of this happened" in done.stdout
    assert len(evidence.processes_of(folder)) >= 5, "--keep leaves the site running"
    again = subprocess.run([*QUICKSTART, folder], capture_output=True, text=True, check=False)
    assert again.returncode == 1 and "still runs; stop it with: kill" in again.stderr, again.stderr
    stop = re.search(r"Stop it with\n +(.*)", done.stdout).group(1)
    subprocess.run(stop, shell=True, check=True)
    nothing_is_left(folder)


def leaves_nothing_when_interrupted(folder):
    """Ctrl-C while devices fetch their first version; a closed terminal and a plain kill while the
    vendor packs it, which takes no site."""
    for number, moment in ((signal.SIGINT, " fetching "), (signal.SIGHUP, "The vendor packs"),
                           (signal.SIGTERM, "The vendor packs")):
        running = subprocess.Popen([*QUICKSTART, folder], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        for line in running.stdout:
            if moment in line:
                break
        assert evidence.processes_of(folder) or number != signal.SIGINT, "the site runs"
        running.send_signal(number)
        rest = running.communicate(timeout=60)[0]
        assert running.returncode == 130, f"{number.name}: exit status {running.returncode}\n{rest}"
        assert f"ended by {number.name}; the site is stopped" in rest, rest
        nothing_is_left(folder)


def nothing_is_left(folder):
    end = time.monotonic() + 30
    while evidence.processes_of(folder):
        assert time.monotonic() < end, f"still there: {evidence.processes_of(folder)}"
        time.sleep(0.1)
    print("ok: no process of the site is left", flush=True)


CASES = {case.__name__: case for case in (runs_without_registry, leaves_nothing_when_interrupted)}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in CASES:
        sys.exit(__doc__)
    netns.enter()
    with tempfile.TemporaryDirectory(prefix="lineside-quickstart-") as folder:
        CASES[sys.argv[1]](f"{folder}/site")


if __name__ == "__main__":
    main()
