# SPDX-License-Identifier: Apache-2.0
"""The inference check of this bundle. Runs inside the bundle's own runtime and only reports: the
device's agent compares the tensors. Exit status: 10 import failed, 11 model did not load,
12 inference raised."""
import json
import os
import platform
import sys
import time

started = time.monotonic()
channel = os.fdopen(int(os.environ["LINESIDE_RESULT_FD"]), "w", buffering=1)


def say(**line):
    channel.write(json.dumps(line) + "\n")


try:
    import numpy
    import onnxruntime
    from speech import first_frame, probabilities
except Exception as error:
    print(f"import failed: {error}", file=sys.stderr)
    sys.exit(10)
imported = time.monotonic()

out = os.environ["LINESIDE_OUT"]
models = os.environ["LINESIDE_MODELS"]
validation = os.path.dirname(os.environ["LINESIDE_CASES"])
probe = json.load(open(os.path.join(validation, "probe.json")))

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
try:
    session = onnxruntime.InferenceSession(os.path.join(models, "vad.onnx"), options,
                                           providers=["CPUExecutionProvider"])
except Exception as error:
    print(f"model did not load: {error}", file=sys.stderr)
    sys.exit(11)
loaded = time.monotonic()

say(t="start", schema=1, provider=session.get_providers()[0],
    runtime={"python": platform.python_version(), "numpy": numpy.__version__,
             "onnxruntime": onnxruntime.__version__})
say(t="import", ms=round((imported - started) * 1e3, 2))
say(t="load", model="models/vad.onnx", ms=round((loaded - imported) * 1e3, 2))

try:
    for case in probe["cases"] + probe["negative_cases"]:
        audio = numpy.load(os.path.join(validation, case["inputs"]["audio"]))
        name = case["name"] + ".probability.npy"
        numpy.save(os.path.join(out, name), probabilities(session, audio))
        say(t="case", name=case["name"], outputs={"probability": name})
    inputs = first_frame(audio)
    for _ in range(probe["repeat"]["warmup"]):
        session.run(None, inputs)
    micros = []
    for _ in range(probe["repeat"]["runs"]):
        before = time.perf_counter()
        session.run(None, inputs)
        micros.append(round((time.perf_counter() - before) * 1e6, 1))
except Exception as error:
    print(f"inference raised: {error}", file=sys.stderr)
    sys.exit(12)
say(t="latency", n=len(micros), us=micros)
say(t="done")
