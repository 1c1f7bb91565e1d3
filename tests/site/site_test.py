#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Site tests: real daemons in network namespaces with shaped links, on the real bundles.

usage: site_test.py SCENARIO      (one of those at the end of this file)"""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "deploy" / "demo"), str(ROOT / "tests" / "site")]

import evidence  # noqa: E402
import netns  # noqa: E402
from bundles import incident_file, packed, tree  # noqa: E402
from plant import Plant, confirmed, end_on_signals, main_bin  # noqa: E402

NODES = 6
LAN_MBIT = 50
WAN_MBIT = 20


def expect(truth, what):
    if not truth:
        raise AssertionError(what)
    print(f"ok: {what}", flush=True)


def running_site(plant, version="1.0.0", bases=()):
    """A site whose vendor offers one version; the folder of its packed bundle."""
    plant.found_vendor()
    folder = packed(plant, version, bases)
    plant.publish(folder)
    plant.start_origin()
    plant.found_site()
    plant.start_gateway()
    plant.start_nodes()
    plant.accept_nodes()
    return folder


def start(plant, version, *options):
    soak = [] if "--soak" in options else ["--soak", "2s"]
    plant.operator("rollout", "start", f"line-audio/{version}.json", "--batch", "2", "--yes", *soak,
                   *options)


def transfers(status, device=None):
    return [row["report"]["transfer"] for row in status["nodes"]
            if row.get("report") and row["report"].get("transfer") and device in (None, row["device"])]


def sent_by_origin(plant):
    """What the origin says it sent, when asked to end."""
    plant.stop_origin()
    log = (plant.folder / "log" / "origin.log").read_text()
    return int(log.rsplit("sent ", 1)[1].split()[0])


def disks_hold(plant, version, packed_folder):
    evidence.disks_hold(plant, tree(version), packed_folder / "listing")
    for name in plant.node_names():
        plant.run("lineside-node", "verify", "--config", plant.folder / "nodes" / name / "node.toml")
    expect(True, f"every disk holds {version}, file by file")


def gateway_killed_in_mid_transfer(plant):
    """The gateway dies while pieces move, comes back, and the rollout goes on where it was."""
    folder = running_site(plant)
    start(plant, "1.0.0")
    length = json.loads((folder / "manifest.json").read_text())["deliveries"][0]["length"]

    def half_way(status):
        moving = transfers(status)
        return len(moving) == NODES and all(row["have"] > length // 5 for row in moving)

    status = plant.wait_for("every node has a fifth of the delivery", half_way, 240)
    expect(any(row["have"] < row["length"] for row in transfers(status)),
           "the gateway is killed in mid-transfer")
    plant.processes["gateway"].stop(signal.SIGKILL)
    before = [plant.node_json(name, "status") for name in plant.node_names()]
    expect(all(row["state"] in ("fetching", "staging", "checking", "gated") for row in before),
           "nothing was activated without the gateway's canaries")
    plant.start_gateway()
    plant.wait_for("all nodes run 1.0.0", lambda now: confirmed(now, "1.0.0"), 300)
    disks_hold(plant, "1.0.0", folder)
    metadata_allowance = 2_000_000
    expect(sent_by_origin(plant) < length + metadata_allowance,
           "the WAN carried the delivery once, although the gateway died")


def delta_update(plant):
    """1.0.0 to 2.0.0 as a delta; the origin is down when the rollout starts; a node dies while it is
    gated and comes back."""
    running_site(plant)
    start(plant, "1.0.0")
    plant.wait_for("all nodes run 1.0.0", lambda now: confirmed(now, "1.0.0"), 300)
    folder = packed(plant, "2.0.0", ["1.0.0"])
    plant.publish(folder)
    plant.operator("refresh")
    plant.operator("plan", "line-audio/2.0.0.json")
    plant.stop_origin()
    start(plant, "2.0.0", "--soak", "20s")
    plant.wait_for("the gateway waits for the origin",
                   lambda now: now["supply"]["state"] == "waiting", 120)
    expect(all(row["report"]["version"] == "1.0.0" and row["report"]["inferring"]
               for row in plant.status()["nodes"]), "without the origin the site infers on 1.0.0")
    plant.start_origin()
    last = plant.node_names()[5]
    plant.wait_for("a node waits at the gate", lambda now: any(
        row["device"] == last and row["report"]["state"] == "gated" for row in now["nodes"]), 120)
    plant.processes[last].stop(signal.SIGKILL)
    plant.start_node(5)
    plant.wait_for("all nodes run 2.0.0", lambda now: confirmed(now, "2.0.0"), 300)
    disks_hold(plant, "2.0.0", folder)
    report = json.loads(plant.operator("report", "--json").stdout)
    expect(report["lan_from_peers"] > 0, "nodes gave pieces to each other")
    expect(report["wan"] < 8_000_000, f"the WAN carried a delta, {report['wan']} bytes")


def gateway_gone_for_good(plant):
    """A node is cut off in mid-transfer; when it comes back the gateway is gone for good. It finds
    the others by itself and gets the rest from them."""
    running_site(plant)
    start(plant, "1.0.0")
    late = plant.node_names()[5]
    plant.wait_for("the late node has a part", lambda status: any(
        row["have"] * 10 > row["length"] for row in transfers(status, late)), 120)
    plant.processes[late].stop(signal.SIGKILL)
    plant.wait_for("all others have the whole delivery", lambda status: all(
        row["report"]["state"] not in ("idle", "fetching") for row in status["nodes"]
        if row["device"] != late), 120)
    expect(plant.node_json(late, "status")["state"] == "fetching", "the late node has a part only")
    plant.processes["gateway"].stop(signal.SIGKILL)
    plant.start_node(5)
    now = plant.wait_for_nodes("the late node has staged and checked the bundle", lambda now: now[
        late]["state"] == "gated", 300)[late]
    expect(now["check"]["verdict"] == "pass", "it finished without the gateway, and its check passed")
    expect(now["confirmed"] is None, "it did not activate: the canaries' evidence cannot reach it")


def incident(plant):
    """3.0.0 carries a numpy that its framework cannot use, and was forced past the audit. The first
    peer's check fails; nobody else switches, and everybody infers on 2.0.0."""
    folder = running_site(plant, "2.0.0", ["1.0.0"])
    start(plant, "2.0.0")
    plant.wait_for("all nodes run 2.0.0", lambda now: confirmed(now, "2.0.0"), 300)
    plant.publish(packed(plant, "3.0.0", ["2.0.0"], incident_file(plant)))
    plant.operator("refresh")
    before = evidence.switches(plant)
    start(plant, "3.0.0")
    watched = plant.operator("rollout", "watch", check=False)
    expect(watched.returncode == 3 and "deps." in watched.stderr,
           "the operator is told that a dependency fails: " + watched.stderr.strip()[-200:])
    status = plant.status()
    failed = [row["device"] for row in status["nodes"] if row["report"]["state"] == "failed"]
    expect(set(failed) & set(plant.node_names()[:3]), f"a canary failed: {failed}")
    log = list(evidence.events(plant, 2))
    expect(all(event["from"] == "checking" for event in log if event["to"] == "failed") and not any(
        event["to"] == "activating" for event in log), "whoever failed did so in the check, and nobody activated")
    expect(status["rollout"]["stage"] == "failed" and not status["rollout"]["gate_open"],
           "the rollout has failed and the gate is shut")
    plant.wait_for("every node infers on 2.0.0", lambda now: all(
        row["report"]["inferring"] and row["report"]["version"] == "2.0.0"
        for row in now["nodes"]), 120)
    expect(evidence.switches(plant) == before, "no node switched its slot, not even for a moment")
    disks_hold(plant, "2.0.0", folder)
    expect(len(set(evidence.nodes_infer(plant))) == 1, "what stands on every disk infers")


SCENARIOS = {scenario.__name__: scenario for scenario in
             (gateway_killed_in_mid_transfer, gateway_gone_for_good, delta_update, incident)}


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in SCENARIOS:
        sys.exit(f"{__doc__}\nscenarios: {' '.join(SCENARIOS)}")
    netns.enter()
    end_on_signals()
    with tempfile.TemporaryDirectory(prefix="lineside-site-") as folder:
        plant = Plant(folder, main_bin(), netns.Namespaces(NODES, LAN_MBIT, WAN_MBIT), nodes=NODES)
        try:
            SCENARIOS[sys.argv[1]](plant)
        except BaseException:
            print(plant.tails(), file=sys.stderr)
            raise
        finally:
            plant.stop_all()


if __name__ == "__main__":
    main()
