#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the manual pages and the shell completions of all programs from their own --help.

usage: make.py BIN-DIR OUT-DIR VERSION DATE

OUT-DIR gets man/NAME.SECTION, bash/NAME, zsh/_NAME and fish/NAME.fish."""
import pathlib
import sys

import completions
import help_tree
import pages

# Program: section of the manual, what it is.
PROGRAMS = {
    "lineside": (1, "operator's program: plans, signs and watches rollouts"),
    "lineside-bundle": (1, "vendor's program: audits, packs, signs and publishes bundles"),
    "lineside-delta": (1, "makes, applies and explains binary deltas of files and trees"),
    "lineside-tuf": (1, "bare client of The Update Framework"),
    "lineside-node": (8, "device agent: fetches, checks, activates and watches bundles"),
    "lineside-seeder": (8, "site gateway: one delivery over the WAN, all others made here"),
}


def write(file, text):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    programs, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    version, date = sys.argv[3:]
    for name, (section, description) in PROGRAMS.items():
        tree = help_tree.read(str(programs / name))
        write(out / "man" / f"{name}.{section}", pages.page(tree, section, version, date, description))
        write(out / "bash" / name, completions.bash(tree))
        write(out / "zsh" / f"_{name}", completions.zsh(tree))
        write(out / "fish" / f"{name}.fish", completions.fish(tree))


main()
