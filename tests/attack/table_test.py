#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The table of attacks in proto/README.md names tests that exist, and every scenario of tests/attack
stands in it."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEST = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.M)


def tests_below(folder):
    found = set()
    for path in (ROOT / folder).rglob("*_test.cc"):
        found |= {f"{suite}.{name}" for suite, name in TEST.findall(path.read_text())}
    return found


def main():
    text = (ROOT / "proto" / "README.md").read_text()
    table = text.split("## Attacks", 1)[1].split("\n## ", 1)[0]
    named = set(re.findall(r"`([A-Z]\w+\.[A-Z]\w+)`", table))
    missing = named - tests_below("tests")
    unlisted = tests_below("tests/attack") - named
    for name in sorted(missing):
        print(f"proto/README.md names {name}, which is no test")
    for name in sorted(unlisted):
        print(f"{name} is no row of the table of attacks in proto/README.md")
    print(f"{len(named)} tests named")
    return 1 if missing or unlisted or len(named) < 50 else 0


sys.exit(main())
