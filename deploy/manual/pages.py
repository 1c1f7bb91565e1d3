# SPDX-License-Identifier: Apache-2.0
"""Manual pages (man(7)) from a help tree."""


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def listed(entries):
    lines = []
    for entry in entries:
        lines += [".TP", f".B {escaped(entry.form)}", *([escaped(entry.text)] if entry.text else [])]
    return lines


def section(command, top):
    title = " ".join(command.words[1:])
    lines = [] if top else [f".SS {escaped(title)}", escaped(command.text), ".PP",
                            f".I {escaped(command.usage)}"]
    options = [entry for entry in command.options if "--help" not in entry.names]
    return lines + listed(command.positionals) + listed(options)


def below(command):
    for child in command.subcommands:
        yield child
        yield from below(child)


def page(command, number, version, date, description):
    """The page of a program; `date` as text."""
    name = command.words[0]
    lines = [f'.TH {name.upper()} {number} "{date}" "Lineside {version}" "Lineside"',
             ".SH NAME", f"{escaped(name)} \\- {escaped(description)}",
             ".SH SYNOPSIS", f".B {escaped(command.usage)}",
             ".SH DESCRIPTION", escaped(command.text), ".SH OPTIONS", *section(command, True)]
    children = list(below(command))
    if children:
        lines += [".SH COMMANDS"]
        for child in children:
            lines += section(child, False)
    if command.footer:
        lines += [".SH NOTES", ".nf", *(escaped(line) for line in command.footer.splitlines()), ".fi"]
    return "\n".join(lines) + "\n"
