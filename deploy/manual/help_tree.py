# SPDX-License-Identifier: Apache-2.0
"""What a program's --help says, over all of its subcommands, as a tree. Pages and completions are made
from it, so that they cannot say anything else than the program does."""
import dataclasses
import os
import re
import subprocess

TEXT_COLUMN = 30  # where a help explains an entry; a longer form has its text on the next line
MORE = re.compile(rf"^\s{{{TEXT_COLUMN}}}(\S.*)$")


@dataclasses.dataclass
class Entry:
    """One line of a help: an option, a positional or a subcommand."""
    form: str  # "-c,--config TEXT=/etc/lineside/node.toml"
    text: str

    @property
    def names(self):
        return self.form.split(" ")[0].split(",")

    @property
    def takes_value(self):
        return " " in self.form


@dataclasses.dataclass
class Command:
    """A program or one of its subcommands."""
    words: list  # ["lineside", "rollout", "start"]
    text: str
    usage: str
    positionals: list
    options: list
    subcommands: list
    footer: str


def ask(program, words):
    environment = {**os.environ, "HOME": "~", "COLUMNS": "100"}
    environment.pop("XDG_CONFIG_HOME", None)
    return subprocess.run([program, *words, "--help"], env=environment, text=True,
                          capture_output=True, check=True).stdout


def entries(lines):
    found = []
    for line in lines:
        if not line.startswith("   "):
            fits = line[TEXT_COLUMN - 1:TEXT_COLUMN] == " "
            form, text = (line[:TEXT_COLUMN], line[TEXT_COLUMN:]) if fits else (line, "")
            found.append(Entry(form.strip(), text.strip()))
        elif found and (more := MORE.match(line)):
            found[-1].text = f"{found[-1].text} {more.group(1)}".strip()
    return found


def sections(text):
    """(what stands before the usage, usage, {title: lines}, what stands behind the last list)"""
    lines = text.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("Usage: "))
    lists, footer, title = {}, [], None
    for line in lines[at + 1:]:
        if line in ("Options:", "Positionals:", "Subcommands:"):
            title = line[:-1]
            lists[title] = []
        elif title and line.startswith("  "):
            lists[title].append(line)
        elif line or footer:
            title = None
            footer.append(line)
    return " ".join(lines[:at]), lines[at][len("Usage: "):], lists, "\n".join(footer).strip()


def read(program, words=()):
    """The tree of `program`, a path. ValueError if its help is none."""
    try:
        text, usage, lists, footer = sections(ask(program, words))
    except StopIteration:
        raise ValueError(f"{program} {' '.join(words)} --help shows no usage") from None
    below = entries(lists.get("Subcommands", []))
    return Command([os.path.basename(program), *words], text, usage,
                   entries(lists.get("Positionals", [])), entries(lists.get("Options", [])),
                   [read(program, (*words, entry.names[0])) for entry in below], footer)


def walk(command):
    yield command
    for below in command.subcommands:
        yield from walk(below)
