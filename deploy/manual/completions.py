# SPDX-License-Identifier: Apache-2.0
"""Completions of bash, zsh and fish from a help tree. Each offers the subcommands and options of the
command that stands on the line, and files where an option takes a value."""
from help_tree import walk


def long_names(entry):
    return [name for name in entry.names if name.startswith("--")]


def long_options(command):
    return [name for entry in command.options for name in long_names(entry)]


def children(command):
    return [child.words[-1] for child in command.subcommands]


def function_name(program):
    return "_" + program.replace("-", "_")


# Shared by bash and zsh: the longest known command at the beginning of the line decides.
def cases(program):
    for command in walk(program):
        words = children(command) + long_options(command)
        yield " ".join(command.words), " ".join(words)


def bash(program):
    name = program.words[0]
    rows = "\n".join(f'    "{path}") words="{words}" ;;' for path, words in cases(program))
    known = " ".join(sorted({word for command in walk(program) for word in children(command)}))
    return f"""# Completion of {name} for bash
{function_name(name)}() {{
  local word path={name} words="" known=" {known} "
  for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
    [[ $known == *" $word "* ]] && path+=" $word"
  done
  case $path in
{rows}
  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
  [[ ${{#COMPREPLY[@]}} -gt 0 ]] || COMPREPLY=($(compgen -f -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -F {function_name(name)} {name}
"""


def zsh(program):
    name = program.words[0]
    rows = "\n".join(f'    "{path}") offered=({words}) ;;' for path, words in cases(program))
    known = " ".join(sorted({word for command in walk(program) for word in children(command)}))
    return f"""#compdef {name}
# Completion of {name} for zsh
{function_name(name)}() {{
  local word path_={name} known=" {known} "
  local -a offered
  for word in ${{words[2,CURRENT-1]}}; do
    [[ $known == *" $word "* ]] && path_+=" $word"
  done
  case $path_ in
{rows}
  esac
  compadd -- $offered || _files
}}
{function_name(name)} "$@"
"""


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish(program):
    name = program.words[0]
    lines = [f"# Completion of {name} for fish"]
    for command in walk(program):
        seen = [f"__fish_seen_subcommand_from {word}" for word in command.words[1:]]
        here = children(command)
        if here:
            seen.append(f"not __fish_seen_subcommand_from {' '.join(here)}")
        condition = f" -n {quoted('; and '.join(seen))}" if seen else ""
        for child in command.subcommands:
            lines.append(f"complete -c {name} -f{condition} -a {child.words[-1]} -d {quoted(child.text)}")
        for entry in command.options:
            for option in long_names(entry):
                value = " -r" if entry.takes_value else ""
                lines.append(f"complete -c {name}{condition} -l {option[2:]}{value} -d {quoted(entry.text)}")
    return "\n".join(lines) + "\n"

