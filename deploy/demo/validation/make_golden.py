# SPDX-License-Identifier: Apache-2.0
"""Writes probe.json and the golden cases of a bundle tree: recorded speech and silence, and what the
model of the tree makes of them in a real run. usage: make_golden.py TREE SPEECH.wav"""
import hashlib
import json
import os
import sys
import wave

import numpy as np
import onnxruntime

tree, sample = sys.argv[1:3]
sys.path.insert(0, os.path.join(tree, "validation", "probe"))
from speech import RATE, probabilities

MODEL = "models/vad.onnx"


def read_speech(path):
    with wave.open(path) as file:
        assert file.getsampwidth() == 2 and file.getframerate() == 3 * RATE, "48 kHz, 16 bit wanted"
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        samples = samples.reshape(-1, file.getnchannels()).mean(axis=1)
    samples = samples[: len(samples) // 3 * 3].reshape(-1, 3).mean(axis=1)  # 48 kHz to 16 kHz
    return (samples / 32768).astype(np.float32)


session = onnxruntime.InferenceSession(os.path.join(tree, MODEL),
                                       providers=["CPUExecutionProvider"])
speech = read_speech(sample)
silence = (1e-4 * np.sin(np.arange(RATE) * 0.05)).astype(np.float32)
cases = os.path.join(tree, "validation", "cases")
for name, audio in (("speech", speech), ("silence", silence)):
    os.makedirs(os.path.join(cases, name), exist_ok=True)
    np.save(os.path.join(cases, name, "audio.npy"), audio)
golden = probabilities(session, speech)
assert golden.max() > 0.9, "the model does not hear the voice: this is no golden output"
np.save(os.path.join(cases, "speech", "probability.npy"), golden)

probe = {
    "schema": 1,
    "argv": ["{runtime}/usr/bin/python3.11", "{validation}/probe/run.py"],
    "env": {"PYTHONHOME": "{runtime}/usr", "PYTHONPATH": "{runtime}/site-packages",
            "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
    "models": [{"path": MODEL, "format": "onnx",
                "sha256": hashlib.sha256(open(os.path.join(tree, MODEL), "rb").read()).hexdigest()}],
    "cases": [{"name": "speech", "inputs": {"audio": "cases/speech/audio.npy"},
               "outputs": {"probability": {"file": "cases/speech/probability.npy",
                                           "rtol": 1e-3, "atol": 1e-4, "equal_nan": False}}}],
    "negative_cases": [{"name": "silence", "inputs": {"audio": "cases/silence/audio.npy"},
                        "expect": {"probability": {"max": 0.2}}}],
    "required_provider": "CPUExecutionProvider",
    "budgets": {"import_ms": 20000, "load_ms": 10000, "p50_ms": 20, "rss_mb": 400, "cpu_ms": 60000},
    "repeat": {"warmup": 20, "runs": 200},
    "limits": {"wall_s": 120, "memory_mb": 1024, "pids": 64, "tmp_mb": 64, "output_kb": 256},
    "devices": [],
}
with open(os.path.join(tree, "validation", "probe.json"), "w") as file:
    json.dump(probe, file, indent=1)
    file.write("\n")
