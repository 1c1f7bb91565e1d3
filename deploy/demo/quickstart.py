#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a site on this machine through three versions of a bundle and checks what happens. What the
programs say is shown; what counts is read from disks and processes (evidence.py)."""
import argparse
import gzip
import hashlib
import json
import os
import pathlib
import shutil
import sys
import time
import urllib.request

import evidence
from bundles import TREES, incident_file, packed, tree
from plant import CLASSES, Plant, PlantError, end_on_signals, main_bin

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build"
NAME = "line-audio"
SOAK_SECONDS = 5
BOLD, RESET = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("", "")


def say(text):
    print(f"\n{BOLD}== {text}{RESET}", flush=True)


def found(what):
    print(f"   ok: {what}", flush=True)


def require(truth, what):
    if not truth:
        raise PlantError(f"expected: {what}")
    found(what)


def bundle(version):
    return f"{NAME}/{version}.json"


def canaries(plant):
    return plant.node_names()[:len(CLASSES)]


def roll_out(plant, version):
    """Starts the rollout and shows it to its end; the exit status of the watch."""
    plant.operator("rollout", "start", bundle(version), "--soak", f"{SOAK_SECONDS}s", "--batch",
                   max(2, plant.count // 3), "--yes", show=True)
    status = plant.operator("rollout", "watch", check=False, show=True).returncode
    plant.check_alive()
    return status


def check_site(plant, version, packed_folder):
    """Every node runs this version, and it works there."""
    tree_digest = evidence.disks_hold(plant, tree(version), packed_folder / "listing")
    found(f"all {plant.count} disks hold {version}, each file compared with the vendor's tree")
    for name in plant.node_names():
        plant.run("lineside-node", "verify", "--config", plant.folder / "nodes" / name / "node.toml")
    found("lineside-node verify agrees on each")
    said = evidence.nodes_infer(plant)
    require(len(set(said)) == 1, f"every one infers: tried here with numpy, onnxruntime, speech {said[0]}")
    return tree_digest


def check_rollout(plant, version, sequence, packed_folder):
    """A rollout that ended well: signed, gated, on every disk, and reported as it is."""
    directive = evidence.operator_signed(plant, plant.node_names()[-1])
    manifest = hashlib.sha256((packed_folder / "manifest.json").read_bytes()).hexdigest()
    require(directive["sequence"] == sequence and directive["bundle"]["sha256"] == manifest,
            "the devices act on a directive for this manifest, and OpenSSL finds the operator's "
            "signature good")
    others = evidence.gate_was_kept(plant, sequence, canaries(plant), SOAK_SECONDS)
    require(others == (plant.count > len(CLASSES)),
            "no other device activated it before every canary had, and the soak was over")
    digest = check_site(plant, version, packed_folder)
    report = json.loads(plant.operator("report", "--json").stdout)
    require(all(row["report"]["tree"] == digest and row["report"]["version"] == version
                for row in report["nodes"]) and len(report["nodes"]) == plant.count,
            f"the report names that digest, {digest[:12]}, for every node")
    return report


def publish(plant, folder, version):
    plant.publish(folder)
    plant.operator("refresh", check=False)

    def offered(_status):
        rows = json.loads(plant.operator("bundles", "--json").stdout)["bundles"]
        return bundle(version) in [row["name"] for row in rows]

    plant.wait_for(f"the gateway has seen {version}", offered, 30)


def first_version(plant):
    say("The vendor packs and publishes version 1.0.0")
    plant.found_vendor()
    folder = packed(plant, "1.0.0", show=True)
    plant.publish(folder)
    plant.start_origin()
    say(f"The site: one gateway, {plant.count} devices of three hardware classes; the operator "
        "accepts each by its fingerprint")
    plant.found_site()
    plant.start_gateway()
    plant.start_nodes()
    plant.accept_nodes()
    plant.operator("nodes", show=True)
    with urllib.request.urlopen(f"http://{plant.network.page}/", timeout=10) as page:
        body = page.read()  # it is kept compressed
        body = gzip.decompress(body) if page.headers["Content-Encoding"] == "gzip" else body
        require(page.status == 200 and b"<html" in body, "the site's page answers")
    keys = {(plant.folder / "nodes" / name / "state" / "device.key").read_bytes()
            for name in plant.node_names()}
    require(len(keys) == plant.count, f"{plant.count} devices with a folder and a key of their own")
    say("Version 1.0.0 goes to all of them, as a full delivery")
    require(roll_out(plant, "1.0.0") == 0, "the rollout of 1.0.0 ended well")
    check_rollout(plant, "1.0.0", 1, folder)


def second_version(plant):
    say("The vendor publishes version 2.0.0: new firmware, new runtime, new model, as a delta")
    folder = packed(plant, "2.0.0", ["1.0.0"], show=True)
    publish(plant, folder, "2.0.0")
    say("What would happen? Nothing moves yet")
    before = evidence.switches(plant)
    plant.operator("plan", bundle("2.0.0"), show=True)
    require(not list(evidence.events(plant, 2)), "no device has heard of it")
    say("The operator starts the rollout; the directive is signed with his key")
    require(roll_out(plant, "2.0.0") == 0, "the rollout of 2.0.0 ended well")
    report = check_rollout(plant, "2.0.0", 2, folder)
    after = evidence.switches(plant)
    require(all(before[name] != after[name] for name in after), "each device switched its slot")
    say("The report")
    plant.operator("report", show=True)
    require(report["lan_from_peers"] > 0, "devices gave pieces to each other")
    length = json.loads((folder / "manifest.json").read_text())["deliveries"][1]["length"]
    received = [row["report"]["delivered_from_gateway"] + row["report"]["delivered_from_peers"]
                for row in report["nodes"]]
    require(min(received) >= length and report["lan_from_gateway"] < plant.count * length,
            f"each received the {length} bytes of the delta, and the gateway did not send them all")
    return folder


def refused_version(plant):
    say("Version 3.0.0 is the incident: numpy 1.19.5 under a framework that needs a newer one")
    out = plant.folder / "vendor" / "3.0.0"
    refused = plant.vendor("pack", TREES / "3.0.0.toml", "--out", out, check=False)
    print("\n".join(f"   {line}" for line in refused.stdout.splitlines()[:6]))
    require(refused.returncode == 1 and not list(out.parent.glob("3.0.0*")),
            "the audit refuses to pack it, and nothing was written")


def third_version(plant, second):
    refused_version(plant)
    say("The vendor forces it past the audit with signed waivers, and the operator rolls it out")
    forced = packed(plant, "3.0.0", ["2.0.0"], incident_file(plant), show=True)
    waivers = json.loads((forced / "manifest.json").read_text())["waivers"]
    require(waivers, f"{len(waivers)} waivers are in the signed manifest: by {waivers[0]['by']}, because "
                     f"\"{waivers[0]['reason']}\"")
    publish(plant, forced, "3.0.0")
    before = evidence.switches(plant)
    require(roll_out(plant, "3.0.0") == 3, "the rollout of 3.0.0 stopped by itself")
    check_incident(plant, plant.status())
    require(evidence.switches(plant) == before, "no device switched its slot, not even for a moment")
    plant.wait_for("every device still infers on 2.0.0", lambda now: all(
        row["report"]["inferring"] and row["report"]["version"] == "2.0.0" for row in now["nodes"]), 60)
    check_site(plant, "2.0.0", second)
    say("What the operator is told")
    told = plant.operator("status", check=False).stdout
    print(told)
    require("FAILED" in told and "check-failed: deps." in told,
            "that it has failed, which canary failed, and that a dependency is the cause")


def check_incident(plant, status):
    """The first peer's check failed, and nothing followed from it. Other devices check early, too:
    what fails there has failed before anything was switched."""
    failed = [row["report"] for row in status["nodes"] if row["report"]["state"] == "failed"]
    require(any(report["device"] in canaries(plant) for report in failed),
            "the inference check failed on the first peer")
    require(all(report["code"] == "check-failed" and "deps." in report["error"] for report in failed),
            f"{len(failed)} checks failed, and each names the dependency")
    log = list(evidence.events(plant, 3))
    ends = [event for event in log if event["to"] == "failed"]
    require(ends and all(event["from"] == "checking" for event in ends),
            "their own logs say so: failed in the check, before anything was switched")
    require(not status["rollout"]["gate_open"] and status["rollout"]["stage"] == "failed", "the gate stayed shut")
    require(not any(event["to"] in ("activating", "trial", "confirmed") for event in log),
            "no device so much as began to activate it")


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=8, help="devices, 3 to 200 (default 8)")
    parser.add_argument("--keep", action="store_true", help="leave the site running")
    parser.add_argument("--dir", default=BUILD / "site", type=pathlib.Path, help="folder of the site")
    options = parser.parse_args()
    if not 3 <= options.nodes <= 200:
        parser.error("--nodes: three hardware classes need 3 devices; at most 200 fit one machine")
    options.dir = options.dir.resolve()
    return options


def all_of_it(plant):
    started = time.monotonic()
    first_version(plant)
    third_version(plant, second_version(plant))
    plant.check_alive()
    require(len(plant.processes) == plant.count + 2,
            f"origin, gateway and {plant.count} agents are the processes that began")
    say(f"All of this happened, in {time.monotonic() - started:.0f} s")


def main():
    options = parse()
    refuse_while_running(options.dir)
    make_room(options.dir)
    # 20 Mbit/s each way: what a busy plant network leaves to updates, and slow enough to be watched.
    plant = Plant(options.dir, main_bin(), nodes=options.nodes, lan_rate=2_500_000)
    end_on_signals()
    kept = False
    try:
        all_of_it(plant)
        if options.keep:
            keep(plant)
            kept = True
        return 0
    except (PlantError, evidence.Contradiction) as problem:
        print(f"\nquickstart: {problem}\n\nlogs: {plant.folder}/log", file=sys.stderr)
        return 1
    except KeyboardInterrupt as end:
        print(f"\nquickstart: {end}; the site is stopped", file=sys.stderr)
        return 130
    finally:
        if not kept:
            plant.stop_all()


def keep(plant):
    print(f"""
The site goes on. Its page, for a browser on this machine:
  http://{plant.network.page}/    user: operator   passphrase: {plant.add_page_user("operator")}
The same in a terminal:
  LINESIDE_SITE={plant.folder}/operator {plant.bin}/lineside status --watch
Stop it with
  kill $(cat {plant.pids()})""")


def make_room(folder):
    """An earlier site is swept away, and nothing that is none."""
    mark = folder / "a-lineside-quickstart"
    if folder.is_dir() and any(folder.iterdir()) and not mark.exists() and folder != BUILD / "site":
        sys.exit(f"quickstart: {folder} holds other files than a site's; name a new folder with --dir")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    mark.touch()


def refuse_while_running(folder):
    """A site that still runs is not swept away under its processes."""
    alive = evidence.processes_of(folder)
    if alive:
        pids = " ".join(map(str, sorted(alive)))
        sys.exit(f"quickstart: the site in {folder} still runs; stop it with: kill {pids}")


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    sys.exit(main())
