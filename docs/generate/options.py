"""The options of a command → Markdown tables, from the dataclasses that define them."""

import dataclasses
import re
import types
import typing
from pathlib import Path
from typing import Any

from peftide.cli.main import COMMANDS
from peftide.config.options import grouped_fields
from peftide.config.reading import field_types, flag

FLAG = re.compile(r"(?<![\w`-])(--[a-z][a-z-]+)(?![\w`])")
CODE = re.compile(r"(`[^`]*`)")
VALUE = re.compile(r"[a-z]+[,:]")
"""The beginning of a doc string that lists values, such as `auto, cpu`."""
PLAIN = {int: "N", float: "X", Path: "PATH", str: "TEXT"}


def commands() -> list[str]:
    """Return the names of all commands."""
    return list(COMMANDS)


def command_options(name: str) -> str:
    """Return one table per group of options.

    Raises
    ------
    ValueError
        If an option has no doc string.
    """
    config_class = COMMANDS[name]
    kinds = field_types(config_class)
    groups: dict[str, list[str]] = {}
    for heading, field in grouped_fields(config_class):
        groups.setdefault(heading, []).append(option_row(field, kinds[field.name]))
    tables = []
    for heading, rows in groups.items():
        name = "This command" if heading == "options" else heading.capitalize()
        title = f"### {name}" if len(groups) > 1 else ""
        head = ["| Option | Default | Meaning |", "|---|---|---|"]
        tables.append("\n".join([title, "", *head, *rows]))
    return "\n\n".join(tables)


def option_row(field: "dataclasses.Field[Any]", kind: Any) -> str:
    """Return the table row of an option."""
    doc = field.metadata["doc"].strip()
    if not doc:
        raise ValueError(f"the option {field.name} has no doc string")
    cells = [written(field, kind), default_of(field, kind), f"{meaning(field, doc, kind)}"]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def written(field: "dataclasses.Field[Any]", kind: Any) -> str:
    """Return an option as a user writes it, with the form of its value.

    Examples
    --------
    >>> from peftide.config import TrainConfig
    >>> fields = {field.name: field for field in dataclasses.fields(TrainConfig)}
    >>> written(fields["lora_r"], int), written(fields["resume"], bool)
    ('`--lora-r N`', '`--resume`')
    """
    if field.metadata.get("positional"):
        return f"`{field.name.upper()}`"
    name = flag(field.name)
    if kind is bool:
        return f"`{name}`, `--no-{name[2:]}`" if field.default else f"`{name}`"
    form = field.metadata.get("repeated") or form_of(kind)
    return f"`{name} {form}`"


def form_of(kind: Any) -> str:
    """Return a word for the value of an option.

    Examples
    --------
    >>> form_of(int | None), form_of(tuple[str, ...]), form_of(Path | Any)
    ('N', 'TEXT,…', 'PATH')
    """
    if typing.get_origin(kind) is typing.Literal:
        return "CHOICE"
    if typing.get_origin(kind) is tuple:
        return f"{form_of(typing.get_args(kind)[0])},…"
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return form_of(typing.get_args(kind)[0])
    return PLAIN[kind]


def default_of(field: "dataclasses.Field[Any]", kind: Any) -> str:
    """Return the default of an option."""
    if field.default is dataclasses.MISSING:
        return "required"
    if kind is bool:
        return "on" if field.default else "off"
    if field.default in (None, (), ""):
        return "–"
    value = field.default
    text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"`{text}`"


def meaning(field: "dataclasses.Field[Any]", doc: str, kind: Any) -> str:
    """Return the doc string of an option, with its choices and its range."""
    is_value = VALUE.match(doc) is not None
    text = doc[0].upper() + doc[1:] if doc[:2].islower() and not is_value else doc
    choices = choices_of(kind)
    if choices:
        text += f". One of {', '.join(f'`{choice}`' for choice in choices)}"
    if field.metadata["limit"]:
        text += f". Range: {field.metadata['limit']}"
    return with_flags(text).replace("<", "&lt;") + ("" if text.endswith("…") else ".")


def with_flags(text: str) -> str:
    """Return a text whose options are code; those inside of code stay as they are.

    Examples
    --------
    >>> with_flags("a run of `train --task ppi`, with --seed")
    'a run of `train --task ppi`, with `--seed`'
    """
    parts = CODE.split(text)
    return "".join(part if k % 2 else FLAG.sub(r"`\1`", part) for k, part in enumerate(parts))


def choices_of(kind: Any) -> list[str]:
    """Return the words that an option accepts, if it accepts only words.

    Examples
    --------
    >>> choices_of(typing.Literal["auto", "none"] | None), choices_of(int | typing.Literal["auto"])
    (['auto', 'none'], [])
    """
    if typing.get_origin(kind) is typing.Literal:
        return list(typing.get_args(kind))
    parts = [part for part in typing.get_args(kind) if part is not type(None)]
    return choices_of(parts[0]) if len(parts) == 1 and not isinstance(kind, type) else []
