#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Verifies a DSSE envelope with securesystemslib.

usage: verify_envelope.py ENVELOPE THRESHOLD TUF_KEY.json…   prints the payload type"""
import json
import pathlib
import sys

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

envelope = Envelope.from_dict(json.loads(pathlib.Path(sys.argv[1]).read_text()))
keys = []
for name in sys.argv[3:]:
    key = json.loads(pathlib.Path(name).read_text())
    keys.append(SSlibKey.from_dict(key.pop("keyid"), key))
try:
    envelope.verify(keys, int(sys.argv[2]))
except VerificationError as error:
    sys.exit(f"not verified: {error}")
print(envelope.payload_type)
