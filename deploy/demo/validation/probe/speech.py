# SPDX-License-Identifier: Apache-2.0
"""How silero VAD is fed: windows of 512 samples at 16 kHz, each with the 64 samples before it."""
import numpy as np

RATE = 16000
WINDOW = 512
CONTEXT = 64


def probabilities(session, audio):
    """Speech probability of each whole window of `audio` (float32 samples in -1..1), as float32."""
    state = np.zeros((2, 1, 128), dtype=np.float32)
    context = np.zeros(CONTEXT, dtype=np.float32)
    rate = np.array(RATE, dtype=np.int64)
    result = []
    for start in range(0, len(audio) - WINDOW + 1, WINDOW):
        window = audio[start:start + WINDOW]
        frame = np.concatenate([context, window])[np.newaxis, :]
        output, state = session.run(None, {"input": frame, "state": state, "sr": rate})
        context = window[-CONTEXT:]
        result.append(output[0, 0])
    return np.array(result, dtype=np.float32)


def first_frame(audio):
    """Inputs of one inference, for timing."""
    frame = np.concatenate([np.zeros(CONTEXT, dtype=np.float32), audio[:WINDOW]])[np.newaxis, :]
    return {"input": frame, "state": np.zeros((2, 1, 128), dtype=np.float32),
            "sr": np.array(RATE, dtype=np.int64)}
