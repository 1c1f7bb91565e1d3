#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the quickstart believes cannot be fooled: each lie of a device is found."""
import hashlib
import json
import pathlib
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy" / "demo"))

import evidence  # noqa: E402

NAMES = ["canary", "other"]


class FakePlant:
    """Devices whose slots and logs are what a test says."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.tree = self.folder / "tree"
        (self.tree / "models").mkdir(parents=True)
        (self.tree / "models" / "vad").write_text("model")
        self.listing = self.folder / "listing"
        self.listing.write_text("listing")
        self.digest = hashlib.sha256(b"listing").hexdigest()
        for name in NAMES:
            shutil.copytree(self.tree, self.state(name) / "slots" / self.digest)
            self.switch(name)

    def node_names(self):
        return NAMES

    def state(self, name):
        return self.folder / "nodes" / name / "state"

    def slot(self, name):
        return self.state(name) / "slots" / self.digest

    def switch(self, name):
        link = self.state(name) / "current"
        link.with_name("next").symlink_to(f"slots/{self.digest}")
        link.with_name("next").rename(link)

    def log(self, name, *changes):
        lines = [json.dumps({"time": f"2026-01-01T00:00:{second:02}Z", "to": to, "sequence": 1}) + "\n"
                 for second, to in changes]
        (self.state(name) / "events.log").write_text("".join(lines))


class Evidence(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.plant = FakePlant(scratch.name)

    def disks(self):
        return evidence.disks_hold(self.plant, self.plant.tree, self.plant.listing)

    def test_whole_disks_hold_the_bundle(self):
        self.assertEqual(self.disks(), self.plant.digest)
        for path in self.plant.slot("other").rglob("*"):
            path.chmod(path.stat().st_mode & 0o555)
        self.assertEqual(self.disks(), self.plant.digest, "a device may take write bits away")

    def test_changed_missing_and_added_files_are_found(self):
        file = self.plant.slot("other") / "models" / "vad"
        for change in (lambda: file.write_text("modem"), file.unlink,
                       lambda: (file.write_text("model"), file.with_name("more").touch())):
            change()
            with self.assertRaisesRegex(evidence.Contradiction, "other differs in 1 entries"):
                self.disks()

    def test_a_slot_under_another_name_is_found(self):
        self.plant.listing.write_text("another listing")
        with self.assertRaisesRegex(evidence.Contradiction, "canary runs the slot"):
            self.disks()

    def test_a_switch_there_and_back_is_seen(self):
        before = evidence.switches(self.plant)
        self.assertEqual(evidence.switches(self.plant), before)
        self.plant.switch("other")
        self.assertNotEqual(evidence.switches(self.plant), before)

    def test_the_gate_is_kept_only_after_canary_and_soak(self):
        self.plant.log("canary", (1, "activating"), (10, "confirmed"))
        self.plant.log("other", (15, "activating"), (17, "confirmed"))
        self.assertTrue(evidence.gate_was_kept(self.plant, 1, ["canary"], 5))
        for too_early in (5, 12):
            self.plant.log("other", (too_early, "activating"))
            with self.assertRaisesRegex(evidence.Contradiction, "the gate opens"):
                evidence.gate_was_kept(self.plant, 1, ["canary"], 5)
        self.plant.log("canary", (1, "activating"))
        with self.assertRaisesRegex(evidence.Contradiction, "0 of 1 canaries confirmed"):
            evidence.gate_was_kept(self.plant, 1, ["canary"], 5)

    def test_a_tree_that_cannot_infer_is_found(self):
        (self.plant.tree / "runtime" / "usr" / "bin").mkdir(parents=True)
        (self.plant.tree / "runtime" / "usr" / "bin" / "python3.11").symlink_to("/bin/false")
        with self.assertRaisesRegex(evidence.Contradiction, "does not infer"):
            evidence.infer(self.plant.tree)


if __name__ == "__main__":
    unittest.main()
