"""`peftide completion`: the options of all commands → a script for bash, zsh or fish."""

import re
import sys
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from peftide.adapters import ADAPTERS
from peftide.backbones.names import known_names
from peftide.baselines import BASELINES
from peftide.cli.arguments import ALL
from peftide.cli.main import COMMANDS
from peftide.cli.streams import complain, say
from peftide.cli.terminal import is_terminal
from peftide.config import CompletionConfig
from peftide.config.options import Options
from peftide.config.reading import field_types, flag
from peftide.config.unread import Names
from peftide.tasks import TASKS
from peftide.tasks.detecting import AUTO

LONGEST_DOC = 80
WORDS: dict[str, Callable[[], list[str]]] = {
    "task": lambda: [AUTO, *TASKS],
    "method": lambda: list(ADAPTERS),
    # a colon ends a word in bash
    "backbone": lambda: [name for name in known_names() if ":" not in name],
    "baselines": lambda: ["auto", "none", *BASELINES],
    "device": lambda: ["auto", "cpu", "cuda", "mps"],
}
"""Option of free text → the words to complete it with."""


@dataclass(frozen=True)
class Completed:
    """An option as a shell completes it.

    Attributes
    ----------
    option
        With its dashes.
    words
        Words to complete its value with; none: files.
    takes_value
        Whether a value follows.
    """

    option: str
    doc: str
    words: tuple[str, ...] = ()
    takes_value: bool = True


def run(config: CompletionConfig, _given: Names) -> None:
    """Print the script; in a terminal, also the command that loads it."""
    say("\n".join(SHELLS[config.shell]()), wrap=False)
    if is_terminal(sys.stdout):
        complain(f"\nTo complete in this {config.shell}, run:")
        complain(LOADED[config.shell], wrap=False)


def options_of(config_class: type[Options]) -> list[Completed]:
    """Return all options of a command."""
    kinds = field_types(config_class)
    found = [
        Completed(flag(field.name), short(field.metadata["doc"]), *_value(field.name, kinds))
        for field in fields(config_class)
        if not field.metadata.get("positional")
    ]
    found.append(Completed("--config", "YAML file with the same keys as these options"))
    found.append(Completed("--help", "show the main options", takes_value=False))
    return [*found, Completed(ALL, "show all options", takes_value=False)]


def _value(name: str, kinds: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    kind = kinds[name]
    return tuple(WORDS[name]() if name in WORDS else choices(kind)), kind is not bool


def choices(kind: Any) -> list[str]:
    """Return the words that a type accepts.

    Examples
    --------
    >>> choices(typing.Literal["auto", "none"]), choices(int | typing.Literal["auto"]), choices(int)
    (['auto', 'none'], ['auto'], [])
    """
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    return [word for part in typing.get_args(kind) for word in choices(part)]


def short(doc: str) -> str:
    """Return the first clause of a doc string, without characters that a shell reads.

    Examples
    --------
    >>> short("share of positives, if it differs; default: `auto`")
    'share of positives, if it differs'
    """
    first = re.split(r"[;:] | \(", doc)[0].strip()
    plain = re.sub(r"[`'\"\[\]\\$]", "", first)
    return plain if len(plain) <= LONGEST_DOC else plain[:LONGEST_DOC].rsplit(" ", 1)[0] + " …"


def summary(config_class: type[Options]) -> str:
    """Return the first line of a command's help."""
    return short((config_class.__doc__ or "").splitlines()[0].rstrip("."))


def bash() -> Iterator[str]:
    """Yield the lines of the script for bash; it needs no package of completions."""
    yield "_peftide() {"
    yield '    local current="${COMP_WORDS[COMP_CWORD]}" words=""'
    yield '    local before="${COMP_WORDS[COMP_CWORD-1]}"'
    yield "    COMPREPLY=()"
    yield '    if [ "$COMP_CWORD" -eq 1 ]; then'
    yield f'        words="{" ".join(COMMANDS)} --help --version"'
    yield "    else"
    yield '        case "${COMP_WORDS[1]}:$before" in'
    for name, config_class in COMMANDS.items():
        for one in options_of(config_class):
            if one.words:
                yield f'            {name}:{one.option}) words="{" ".join(one.words)}" ;;'
    yield "        esac"
    yield '        if [[ "$current" == -* ]]; then'
    yield '            case "${COMP_WORDS[1]}" in'
    for name, config_class in COMMANDS.items():
        listed = " ".join(one.option for one in options_of(config_class))
        yield f'                {name}) words="{listed}" ;;'
    yield "            esac"
    yield '        elif [ "${COMP_WORDS[1]}" = completion ]; then'
    yield f'            words="{" ".join(SHELLS)}"'
    yield "        fi"
    yield "    fi"
    yield '    if [ -n "$words" ]; then'
    yield '        COMPREPLY=($(compgen -W "$words" -- "$current"))'
    yield "    fi"
    yield "}"
    yield "complete -o default -F _peftide peftide"


def zsh() -> Iterator[str]:
    """Yield the lines of the script for zsh, to source or to keep as `_peftide` in `fpath`."""
    yield "#compdef peftide"
    yield "_peftide() {"
    yield "    local -a commands"
    yield "    commands=("
    for name, config_class in COMMANDS.items():
        yield f"        '{name}:{summary(config_class)}'"
    yield "    )"
    yield "    if (( CURRENT == 2 )); then"
    yield "        _describe command commands"
    yield "        return"
    yield "    fi"
    yield "    case $words[2] in"
    for name, config_class in COMMANDS.items():
        yield f"        {name})"
        yield "            shift words; (( CURRENT-- ))"
        yield "            _arguments \\"
        for one in options_of(config_class):
            yield f"                {_zsh_option(one)} \\"
        rest = f"'1:shell:({' '.join(SHELLS)})'" if name == "completion" else "'*:file:_files'"
        yield f"                {rest} ;;"
    yield "    esac"
    yield "}"
    yield 'if [ "$funcstack[1]" = "_peftide" ]; then'
    yield '    _peftide "$@"'
    yield "else"
    yield "    compdef _peftide peftide"
    yield "fi"


def _zsh_option(one: Completed) -> str:
    if not one.takes_value:
        return f"'{one.option}[{one.doc}]'"
    values = f"({' '.join(one.words)})" if one.words else "_files"
    return f"'*{one.option}[{one.doc}]:value:{values}'"


def fish() -> Iterator[str]:
    """Yield the lines of the script for fish."""
    first = "complete -c peftide -n __fish_use_subcommand -f -a"
    for name, config_class in COMMANDS.items():
        yield f"{first} {name} -d '{summary(config_class)}'"
        inside = f"complete -c peftide -n '__fish_seen_subcommand_from {name}'"
        for one in options_of(config_class):
            words = f" -x -a '{' '.join(one.words)}'" if one.words else " -r -F"
            value = words if one.takes_value else ""
            yield f"{inside} -l {one.option.removeprefix('--')}{value} -d '{one.doc}'"
    inside = "complete -c peftide -n '__fish_seen_subcommand_from completion'"
    yield f"{inside} -f -a '{' '.join(SHELLS)}'"


SHELLS: dict[str, Callable[[], Iterator[str]]] = {"bash": bash, "zsh": zsh, "fish": fish}
LOADED = {
    "bash": "source <(peftide completion bash)",
    "zsh": "source <(peftide completion zsh)",
    "fish": "peftide completion fish | source",
}
"""Shell → the command that completes in the present shell."""
