# SPDX-License-Identifier: Apache-2.0
"""What the disks and the processes say, asked without any program of Lineside: a claim of the
quickstart or of a site test counts when this agrees."""
import base64
import concurrent.futures
import datetime
import hashlib
import json
import os
import pathlib
import stat
import subprocess
import tempfile


class Contradiction(Exception):
    """A program said what the disks or processes do not."""


def fact(path):
    info = path.lstat()
    if stat.S_ISLNK(info.st_mode):
        return ("link", os.readlink(path))
    if stat.S_ISDIR(info.st_mode):
        return ("folder", info.st_mode & 0o555)
    with open(path, "rb") as file:
        return ("file", info.st_mode & 0o555, hashlib.file_digest(file, "sha256").hexdigest())


def facts(tree):
    """Every entry below a folder: path -> type, mode and content. A device may take write bits away:
    its trees share files."""
    return {str(path.relative_to(tree)): fact(path) for path in sorted(pathlib.Path(tree).rglob("*"))}


def current(plant, name):
    return plant.folder / "nodes" / name / "state" / "current"


def switches(plant):
    """The identity of each node's link `current`: another one after any switch, there and back too."""
    result = {}
    for name in plant.node_names():
        info = current(plant, name).lstat()
        result[name] = (os.readlink(current(plant, name)), info.st_ino, info.st_ctime_ns)
    return result


def disks_hold(plant, tree, listing):
    """Each node's running slot has the name of the signed listing's digest, and holds file by file
    what the vendor packed. The digest."""
    digest = hashlib.sha256(pathlib.Path(listing).read_bytes()).hexdigest()
    wanted = facts(tree)
    for name in plant.node_names():
        slot = current(plant, name).resolve()
        if slot.name != digest:
            raise Contradiction(f"{name} runs the slot {slot.name}, not {digest}")
        found = facts(slot)
        if found != wanted:
            paths = [path for path in {*found, *wanted} if found.get(path) != wanted.get(path)]
            raise Contradiction(f"{name} differs in {len(paths)} entries: {sorted(paths)[:5]}")
    return digest


INFER = """
import json, os, sys
import numpy, onnxruntime
tree = sys.argv[1]
sys.path.insert(0, os.path.join(tree, "validation", "probe"))
from speech import probabilities
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.path.join(tree, "models/vad.onnx"), options,
                                       providers=["CPUExecutionProvider"])
case = os.path.join(tree, "validation/cases/speech")
golden = numpy.load(os.path.join(case, "probability.npy"))
now = probabilities(session, numpy.load(os.path.join(case, "audio.npy")))
assert numpy.allclose(now, golden, rtol=1e-3, atol=1e-4), abs(now - golden).max()
print(numpy.__version__, onnxruntime.__version__, float(now.max()))
"""


def infer(tree):
    """Runs the model of a tree under the interpreter and packages of that tree; what it printed."""
    env = {"PATH": "/usr/bin", "PYTHONHOME": f"{tree}/runtime/usr", "OMP_NUM_THREADS": "1",
           "PYTHONPATH": f"{tree}/runtime/site-packages", "PYTHONDONTWRITEBYTECODE": "1",
           "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([f"{tree}/runtime/usr/bin/python3.11", "-c", INFER, str(tree)], env=env,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Contradiction(f"{tree} does not infer:\n{done.stderr[-800:]}")
    return done.stdout.strip()


def nodes_infer(plant):
    """What stands on each node's disk infers now, tried here and not asked of the node."""
    trees = [current(plant, name).resolve() for name in plant.node_names()]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(infer, trees))


def events(plant, sequence):
    """Every change of state of every device under a directive, from their logs for auditors."""
    for name in plant.node_names():
        log = plant.folder / "nodes" / name / "state" / "events.log"
        for line in log.read_text().splitlines():
            event = json.loads(line)
            if event["sequence"] == sequence:
                yield {**event, "device": name}


def moment(event):
    return datetime.datetime.fromisoformat(event["time"].replace("Z", "+00:00"))


def gate_was_kept(plant, sequence, canaries, soak_seconds):
    """No device outside the canaries began to activate before each canary had confirmed, and before
    the soak after the last of them. True if there was such a device at all."""
    log = list(events(plant, sequence))
    ends = [moment(event) for event in log
            if event["to"] == "confirmed" and event["device"] in canaries]
    if len(ends) != len(canaries):
        raise Contradiction(f"{len(ends)} of {len(canaries)} canaries confirmed directive {sequence}")
    begun = [moment(event) for event in log
             if event["to"] == "activating" and event["device"] not in canaries]
    # Times are written in whole seconds.
    open_at = max(ends) + datetime.timedelta(seconds=soak_seconds - 1)
    if begun and min(begun) < open_at:
        raise Contradiction(f"a device began to activate at {min(begun)}, the gate opens {open_at}")
    return bool(begun)


def operator_signed(plant, name):
    """OpenSSL, not Lineside, verifies the directive that a device acts on with the operator's key.
    DSSE v1: the signature is over the pre-authentication encoding. The directive."""
    documents = plant.folder / "nodes" / name / "state" / "documents"
    envelope = json.loads((documents / "directive.dsse").read_text())
    payload = base64.b64decode(envelope["payload"])
    kind = envelope["payloadType"].encode()
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        (scratch / "message").write_bytes(
            b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload))
        (scratch / "signature").write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
        done = subprocess.run(["openssl", "pkeyutl", "-verify", "-rawin", "-inkey",
                               plant.folder / "operator" / "operator.key", "-in", scratch / "message",
                               "-sigfile", scratch / "signature"], capture_output=True, check=False)
    if done.returncode != 0:
        raise Contradiction(f"{name} acts on a directive that the operator's key did not sign")
    return json.loads(payload)


def processes_of(folder):
    """Processes with the folder's path in their command line, this one aside: pid -> command."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended
        if f"{folder}/" in command:
            found[int(entry.name)] = command.strip()
    return found
