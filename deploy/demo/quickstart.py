#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a site on this machine through three versions of a bundle and checks what happens."""
import argparse
import json
import os
import pathlib
import shutil
import sys
import time

from plant import Plant, PlantError, confirmed, main_bin

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
NAME = "line-audio"
BOLD, RESET = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")


def say(text):
    print(f"\n{BOLD}== {text}{RESET}", flush=True)


def bundle(version):
    return f"{NAME}/{version}.json"


def pack(plant, version, bases=(), toml=None, name=None):
    """Packs a version, or takes it from the last run: the same tree gives the same bytes."""
    out = BUILD / "cache" / "packed" / (name or version)
    if not out.exists():
        out.parent.mkdir(parents=True, exist_ok=True)
        arguments = [item for base in bases for item in ("--base", BUILD / "cache" / "trees" / base)]
        plant.vendor("pack", toml or BUILD / "cache" / "trees" / f"{version}.toml", "--out", out,
                     "--effort", "fast", "--zstd-only", *arguments, show=True)
    return out


def require(truth, what):
    if not truth:
        raise PlantError(f"expected: {what}")
    print(f"   ok: {what}", flush=True)


def roll_out(plant, version, soak="5s"):
    """Starts the rollout and watches it to its end; the exit status of the watch."""
    plant.operator("rollout", "start", bundle(version), "--soak", soak, "--batch", max(2, plant.count // 3),
                   "--yes", show=True)
    return plant.operator("rollout", "watch", check=False, show=True).returncode


def check_disks(plant, version):
    """What the disks say, not what anybody remembers."""
    digests = set()
    for name in plant.node_names():
        plant.run("lineside-node", "verify", "--config", plant.folder / "nodes" / name / "node.toml")
        status = plant.node_json(name, "status")
        running = status["confirmed"]["version"]
        require_quietly(running == version, f"{name} runs {version}, not {running}")
        require_quietly(status["current"] == status["read_back"], f"{name} runs what it verified")
        digests.add(status["current"])
    require(len(digests) == 1, f"all {plant.count} devices hold {version}, every file read back from "
                               "disk and compared with the signed listing")


def require_quietly(truth, what):
    if not truth:
        raise PlantError(f"expected: {what}")


def first_version(plant):
    say("The vendor packs and publishes version 1.0.0")
    plant.found_vendor()
    plant.publish(pack(plant, "1.0.0"))
    plant.start_origin()
    say(f"The site: one gateway, {plant.count} devices of three hardware classes; the operator "
        "accepts each by its fingerprint")
    plant.found_site()
    plant.start_gateway()
    plant.start_nodes()
    plant.accept_nodes()
    plant.operator("nodes", show=True)
    say("Version 1.0.0 goes to all of them, as a full delivery")
    require(roll_out(plant, "1.0.0") == 0, "the rollout of 1.0.0 ended well")
    check_disks(plant, "1.0.0")


def second_version(plant):
    say("The vendor publishes version 2.0.0: new firmware, new runtime, new model, as a delta")
    plant.publish(pack(plant, "2.0.0", ["1.0.0"]))
    plant.operator("refresh", check=False)
    plant.wait_for("the gateway has seen 2.0.0", lambda _: bundle("2.0.0") in bundles(plant), 30)
    say("What would happen? Nothing moves yet")
    plant.operator("plan", bundle("2.0.0"), show=True)
    say("The operator starts the rollout; the directive is signed with his key")
    require(roll_out(plant, "2.0.0") == 0, "the rollout of 2.0.0 ended well")
    check_disks(plant, "2.0.0")
    say("The report")
    plant.operator("report", show=True)
    report = json.loads(plant.operator("report", "--json").stdout)
    require(report["lan_from_peers"] > 0, "devices gave pieces to each other")


def bundles(plant):
    return [row["name"] for row in json.loads(plant.operator("bundles", "--json").stdout)["bundles"]]


def events(plant):
    """Every change of state of every device, from their own logs."""
    for name in plant.node_names():
        log = plant.folder / "nodes" / name / "state" / "events.log"
        yield from (json.loads(line) for line in log.read_text().splitlines())


def incident_file(plant):
    """The bundle file of 3.0.0 with a waiver for each error of the audit."""
    toml = BUILD / "cache" / "trees" / "3.0.0.toml"
    audit = plant.vendor("--json", "audit", toml, check=False)
    text = toml.read_text().replace('tree = "3.0.0"', f'tree = "{toml.parent / "3.0.0"}"')
    for finding in json.loads(audit.stdout):
        if finding["severity"] == "error":
            text += (f'\n[[waiver]]\nrule = "{finding["rule"]}"\nsubject = "{finding["subject"]}"\n'
                     f'by = "somebody in a hurry"\nuntil = "{time.gmtime().tm_year + 1}-01-01T00:00:00Z"\n'
                     'reason = "it will be fine"\n')
    forced = plant.folder / "vendor" / "3.0.0-forced.toml"
    forced.write_text(text)
    return forced


def third_version(plant):
    say("Version 3.0.0 is the incident: numpy 1.19.5 under a framework that needs a newer one")
    toml = BUILD / "cache" / "trees" / "3.0.0.toml"
    refused = plant.vendor("pack", toml, "--out", plant.folder / "vendor" / "3.0.0", check=False)
    print("\n".join(f"   {line}" for line in refused.stdout.splitlines()[:6]))
    require(refused.returncode == 1 and not (plant.folder / "vendor" / "3.0.0").exists(),
            "the audit refuses to pack it, and nothing was written")
    say("The vendor forces it past the audit with signed waivers, and the operator rolls it out")
    plant.publish(pack(plant, "3.0.0", ["2.0.0"], incident_file(plant), "3.0.0-forced"))
    plant.operator("refresh", check=False)
    plant.wait_for("the gateway has seen 3.0.0", lambda _: bundle("3.0.0") in bundles(plant), 30)
    require(roll_out(plant, "3.0.0") == 1, "the rollout of 3.0.0 stopped by itself")
    status = plant.status()
    require(any(row["canary"] and row["report"]["state"] == "failed"
                and row["report"]["code"] == "check-failed"
                and row["report"]["check"]["cause"].startswith("deps.") for row in status["nodes"]),
            "the inference check failed on the first peer, and names the dependency")
    require(not status["rollout"]["gate_open"], "the gate stayed shut")
    require(not any(entry["sequence"] == 3 and entry["to"] in ("activating", "trial", "confirmed")
                    for entry in events(plant)), "no device so much as began to activate it")
    plant.wait_for("every device still infers on 2.0.0", lambda now: all(
        row["report"]["inferring"] for row in now["nodes"]), 60)
    check_disks(plant, "2.0.0")
    say("What the operator is told")
    plant.operator("status", show=True)


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=8, help="devices, 3 to 200 (default 8)")
    parser.add_argument("--keep", action="store_true", help="leave the site running")
    parser.add_argument("--dir", default=BUILD / "site", help="folder of the site")
    options = parser.parse_args()
    if not 3 <= options.nodes <= 200:
        parser.error("--nodes: three hardware classes need 3 devices; at most 200 fit one machine")
    return options


def main():
    options = parse()
    refuse_while_running(options.dir)
    shutil.rmtree(options.dir, ignore_errors=True)
    # 20 Mbit/s each way: what a busy plant network leaves to updates, and slow enough to be watched.
    plant = Plant(options.dir, main_bin(), nodes=options.nodes, lan_rate=2_500_000)
    started = time.monotonic()
    try:
        first_version(plant)
        second_version(plant)
        third_version(plant)
        say(f"All of this happened, in {time.monotonic() - started:.0f} s")
        if options.keep:
            keep(plant)
        return 0
    except (PlantError, KeyboardInterrupt) as problem:
        print(f"\nquickstart: {problem}\n\nlogs: {plant.folder}/log", file=sys.stderr)
        return 1
    finally:
        if options.keep:
            pids = " ".join(str(process.popen.pid) for process in plant.processes.values())
            (plant.folder / "pids").write_text(pids + "\n")
        else:
            plant.stop_all()


def keep(plant):
    print(f"""
The site goes on. Look at it with
  LINESIDE_SITE={plant.folder}/operator {plant.bin}/lineside status --watch
Stop it with
  kill $(cat {plant.folder}/pids)""")


def refuse_while_running(folder):
    """A site that --keep left running is not swept away under its processes."""
    pids = pathlib.Path(folder) / "pids"
    if not pids.exists():
        return
    alive = [pid for pid in pids.read_text().split() if os.path.exists(f"/proc/{pid}")]
    if alive:
        sys.exit(f"quickstart: the site in {folder} still runs; stop it with: kill {' '.join(alive)}")


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
