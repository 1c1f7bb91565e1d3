# SPDX-License-Identifier: Apache-2.0
"""The packed bundles of the demonstration, each packed once: kept under the digest of all that goes
into it (bundle file, trees, the packing program), so that what changed is packed again."""
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import time

from evidence import facts

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "cache"
TREES = CACHE / "trees"
OPTIONS = ["--effort", "fast", "--zstd-only"]
UNUSED_SECONDS = 3600


def tree(version):
    return TREES / version


def digest(plant, toml, trees):
    sha = hashlib.sha256((plant.bin / "lineside-bundle").read_bytes())
    sha.update(json.dumps([toml.read_text(), OPTIONS, [facts(one) for one in trees]]).encode())
    return sha.hexdigest()[:16]


@contextlib.contextmanager
def alone(folder):
    """Sites side by side pack one after the other: the second finds what the first has packed."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def forget_unused(folder, version):
    """Another site may still read a packing that is of no use here."""
    for old in folder.glob(f"{version}-*"):
        if time.time() - old.stat().st_mtime > UNUSED_SECONDS:
            shutil.rmtree(old)


def packed(plant, version, bases=(), toml=None, show=False):
    """The folder of a packed version with deliveries from nothing and from each base."""
    toml = toml or TREES / f"{version}.toml"
    key = digest(plant, toml, [tree(one) for one in (version, *bases)])
    folder = CACHE / "packed"
    out = folder / f"{version}-{key}"
    words = [word for base in bases for word in ("--base", tree(base))]
    with alone(folder):
        if not out.exists():
            forget_unused(folder, version)
            plant.vendor("pack", toml, "--out", out, *OPTIONS, *words, show=show)
        os.utime(out)
    return out


def incident_file(plant):
    """The bundle file of 3.0.0 with a waiver for each error of the audit. The end of the waivers is
    a first of January, so that the file is the same all year."""
    toml = TREES / "3.0.0.toml"
    audit = plant.vendor("--json", "audit", toml, check=False)
    text = toml.read_text().replace('tree = "3.0.0"', f'tree = "{tree("3.0.0")}"')
    for finding in json.loads(audit.stdout):
        if finding["severity"] == "error":
            text += (f'\n[[waiver]]\nrule = "{finding["rule"]}"\nsubject = "{finding["subject"]}"\n'
                     f'by = "somebody in a hurry"\nuntil = "{time.gmtime().tm_year + 1}-01-01T00:00:00Z"\n'
                     'reason = "it will be fine"\n')
    forced = plant.folder / "vendor" / "3.0.0-forced.toml"
    forced.write_text(text)
    return forced
