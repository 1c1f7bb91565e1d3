#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our PEP 440 with the `packaging` library on generated pairs.

usage: pep440_differential.py FILTER [PAIRS [SEED]]

FILTER reads lines "SPEC<tab>VERSION" and answers true, false or invalid. Every disagreement is
printed; the exit status is 1 if there is one, and 2 if `packaging` 26 is missing.
"""
import random
import subprocess
import sys

try:
    import packaging
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version
except ImportError as error:
    print(f"pep440_differential: {error}: install packaging==26.*", file=sys.stderr)
    sys.exit(2)

OPERATORS = ["~=", "==", "!=", "<=", ">=", "<", ">", "==="]
NUMBERS = ["0", "0", "1", "1", "2", "3", "9", "10", "19", "20", "00", "01", "2024", "9" * 25,
           "1" + "0" * 40, "18446744073709551616", "4294967296"]
SPACES = ["", "", "", "", " ", "  ", "\u00a0", "\u2003", "\x0b", "\x1f", "\u3000", "\x85"]
STRANGE = ["\u0661", "\uff11", "\u00b2", "po\u017ft1", ".", "-", "_", "+", "!", "*", ".*", "x", "v", "(", ")",
           ";", "1.", "\u212a", "\u0130", ",", "===", "="]


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.choice = self.random.choice

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def case(self, word):
        roll = self.random.random()
        if roll < 0.8:
            return word
        return word.upper() if roll < 0.9 else word.title()

    def lettered(self, words):
        sep = self.choice(["", "", ".", "-", "_"])
        inner = self.choice(["", "", "", ".", "-", "_"])
        number = self.choice(["", "0", "0", "1", "1", "2", "01", self.choice(NUMBERS)])
        return sep + self.case(self.choice(words)) + inner + number

    def release(self):
        small = self.chance(85)
        return ".".join(self.choice(["0", "1", "2"] if small else NUMBERS)
                        for _ in range(self.choice([1, 2, 2, 3, 3, 4, 5])))

    def version(self):
        out = ""
        if self.chance(5):
            out += self.choice("vV")
        if self.chance(8):
            out += self.choice(["0", "1", "1", "2", self.choice(NUMBERS)]) + "!"
        out += self.release()
        if self.chance(25):
            out += self.lettered(["alpha", "a", "beta", "b", "preview", "pre", "c", "rc"])
        if self.chance(25):
            out += "-" + self.choice(NUMBERS) if self.chance(20) else self.lettered(["post", "rev", "r"])
        if self.chance(20):
            out += self.lettered(["dev"])
        if self.chance(15):
            parts = [self.case(self.choice(["a", "b", "ubuntu", "1", "2", "01", "10", "1a", "0"]))
                     for _ in range(self.choice([1, 1, 2, 3]))]
            out += "+" + self.choice([".", "-", "_"]).join(parts)
        return out

    def spoil(self, text):
        at = self.random.randrange(len(text) + 1)
        if self.chance(50):
            return text[:at] + self.choice(STRANGE) + text[at:]
        return text[:at] + text[at + 1:]

    def near(self, version):
        """A version close to another: ends of ranges are where mistakes are."""
        base = version.split("+")[0]
        for _ in range(self.choice([1, 1, 2])):
            base = self.choice([
                lambda: base, lambda: base + ".dev0", lambda: base + ".post0", lambda: base + "a0",
                lambda: base + ".0", lambda: base + ".1", lambda: base + "+local", lambda: base + "+1",
                lambda: base + ".post1.dev0", lambda: base.rsplit(".", 1)[0],
                lambda: base.rstrip("0123456789") + self.choice("0123"), lambda: base + "rc1.post0",
            ])()
        return base

    def clause(self, version):
        operator = self.choice(OPERATORS)
        out = operator + self.choice(SPACES) + version
        if operator in ("==", "!=") and self.chance(30):
            out = operator + self.release() + ".*"
        elif self.chance(2):
            out += ".*"
        if operator not in ("==", "!=", "===") and self.chance(90):
            out = out.split("+")[0]
        return out

    def pair(self):
        version = self.version()
        clauses = []
        for _ in range(self.choice([0, 1, 1, 1, 1, 1, 2, 2, 3])):
            other = self.choice([self.version, lambda: self.near(version), lambda: version])()
            clauses.append(self.clause(other))
        spec = ",".join(self.choice(SPACES) + c + self.choice(SPACES) for c in clauses)
        if self.chance(3):
            spec += ","
        if self.chance(4):
            spec = self.spoil(spec)
        if self.chance(40):
            version = self.near(version)
        if self.chance(8):
            version = self.choice(SPACES) + version + self.choice(SPACES)
        if self.chance(4):
            version = self.spoil(version)
        return spec, version


def expected(spec, version):
    try:
        specifiers = SpecifierSet(spec)
        Version(version)
        return "true" if specifiers.contains(version, prereleases=True) else "false"
    except (InvalidSpecifier, InvalidVersion):
        return "invalid"
    except AssertionError:  # a letter that its specifier pattern takes and its version pattern does not
        return "invalid"


def main(arguments):
    if not packaging.__version__.startswith("26."):
        print(f"pep440_differential: packaging {packaging.__version__}, expected 26", file=sys.stderr)
        return 2
    count = int(arguments[2]) if len(arguments) > 2 else 40000
    maker = Maker(int(arguments[3]) if len(arguments) > 3 else 440)
    pairs = [pair for pair in (maker.pair() for _ in range(count))
             if not any(c in text for text in pair for c in "\n\t")]
    wanted = [expected(*pair) for pair in pairs]
    answer = subprocess.run([arguments[1]], check=True, stdout=subprocess.PIPE, encoding="utf-8",
                            input="".join(f"{s}\t{v}\n" for s, v in pairs)).stdout.split("\n")[:-1]
    if len(answer) != len(pairs):
        print(f"{len(pairs)} pairs, {len(answer)} answers")
        return 1
    wrong = [(p, w, a) for p, w, a in zip(pairs, wanted, answer) if w != a]
    for (spec, version), want, got in wrong[:20]:
        print(f"{spec!r} contains {version!r}: packaging says {want}, we say {got}")
    tally = {kind: wanted.count(kind) for kind in ("true", "false", "invalid")}
    print(f"{len(pairs)} pairs against packaging {packaging.__version__}: {tally}, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
