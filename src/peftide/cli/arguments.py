"""Config dataclass → command-line parser, and parsed words → config."""

import argparse
import dataclasses
import shutil
import typing
from pathlib import Path
from typing import Any, TypeVar

from peftide.cli.examples import EXAMPLES
from peftide.cli.terminal import NARROWEST
from peftide.config import as_mapping, from_mapping, read_yaml
from peftide.config.options import Options, grouped_fields
from peftide.config.reading import check_values, field_types, flag, missing_options
from peftide.run_folder import RESUMED, begun, resumed_config

Config = TypeVar("Config")
Field = dataclasses.Field[Any]

SHORT = 18
"""A command with at most this many options shows all of them in `--help`."""
ALL = "--help-all"
MERGED = {"table": "data", "method": "model", "optimizer": "training", "engine": "this process"}
"""Group of the whole help → the larger group of the short help that it belongs to."""
NARROW = 60
EXAMPLES_TITLE = "examples:\n"


class HelpFormat(argparse.HelpFormatter):
    """Help that fits the terminal; examples stay as they are, so that they can be copied."""

    def __init__(self, prog: str) -> None:
        columns = max(shutil.get_terminal_size().columns, NARROWEST)
        super().__init__(prog, max_help_position=24 if columns >= NARROW else 8, width=columns - 2)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        examples, blank, rest = text.partition("\n\n")
        if not text.startswith(EXAMPLES_TITLE):
            return super()._fill_text(text, width, indent)
        return examples + blank + super()._fill_text(rest, width, indent)


def add_options(
    parser: argparse.ArgumentParser, config_class: type[Options], *, everything: bool = False
) -> None:
    """Add one option per field, in groups; values stay text until the config is built.

    Parameters
    ----------
    everything
        Whether the help shows all options, or only the main ones.
    """
    kinds = field_types(config_class)
    count, is_short = f"all {len(kinds)} options", len(kinds) <= SHORT
    everything = everything or is_short
    own = parser.add_argument_group("options")
    groups = {Options.heading: own}
    for place, field in grouped_fields(config_class):
        heading = place if everything else MERGED.get(place, place)
        if heading not in groups:
            groups[heading] = parser.add_argument_group(heading)
        shown = everything or field.metadata["main"]
        text = _help(field, kinds) if shown else argparse.SUPPRESS
        if field.metadata.get("positional"):
            is_needed = field.default is dataclasses.MISSING
            own.add_argument(
                field.name,
                metavar=field.name.upper(),
                help=text,
                nargs=None if is_needed else "?",
                default=argparse.SUPPRESS,
            )
        else:
            form = _form(field, kinds[field.name])
            groups[heading].add_argument(flag(field.name), dest=field.name, help=text, **form)
    own.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML file with the same keys as these options"
    )
    main = "all options" if is_short else "the main options"
    own.add_argument("-h", "--help", action="help", help=f"show {main}")
    longer = argparse.SUPPRESS if is_short else f"show {count}"
    own.add_argument(ALL, action="help", help=longer)
    parser.usage = _usage(parser.prog, config_class)
    examples = EXAMPLES[parser.prog.split()[-1]]
    parser.epilog = EXAMPLES_TITLE + "\n".join(f"  {example}" for example in examples)
    if not everything:
        parser.epilog += f"\n\n`{parser.prog} {ALL}` shows {count}."


def _usage(program: str, config_class: type[Options]) -> str:
    """Return the words that a command needs, and those without a flag that it takes."""
    options = dataclasses.fields(config_class)
    words = [
        field.name.upper() if field.default is dataclasses.MISSING else f"[{field.name.upper()}]"
        for field in options
        if field.metadata.get("positional")
    ]
    flags = [
        f"{flag(field.name)} …"
        for field in options
        if field.default is dataclasses.MISSING and not field.metadata.get("positional")
    ]
    return " ".join([program, *words, *flags, "[options]"])


def _form(field: Field, kind: Any) -> dict[str, Any]:
    form: dict[str, Any] = {"default": argparse.SUPPRESS}
    if kind is bool:
        return form | {"action": argparse.BooleanOptionalAction}
    if field.metadata.get("repeated"):
        return form | {"action": "append", "metavar": field.metadata["repeated"]}
    return form | {"metavar": _metavar(kind)}


def _metavar(kind: Any) -> str:
    if typing.get_origin(kind) is typing.Literal:
        return "{" + ",".join(typing.get_args(kind)) + "}"
    inner = [part for part in typing.get_args(kind) if part is not type(None)]
    if inner and typing.get_origin(inner[0]) is typing.Literal:
        return _metavar(inner[0])
    plain = inner[0] if inner else kind
    return {int: "N", float: "X", Path: "PATH"}.get(plain, "TEXT")


def _help(field: Field, kinds: dict[str, Any]) -> str:
    text = field.metadata["doc"].replace("%", "%%")
    default = field.default
    if default is dataclasses.MISSING:
        return f"{text} (required)"
    if default in (None, (), "") or kinds[field.name] is bool:
        return text
    shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
    return f"{text} (default: {shown})"


def parse_config(
    config_class: type[Config], arguments: argparse.Namespace
) -> tuple[Config, frozenset[str]]:
    """Return the config of a command, and the names of the given options.

    A key in the YAML file counts as given if its value is not the default, because the
    `config.yaml` of a run contains every option.

    Raises
    ------
    InputError
        If options are wrong; the error lists all wrong options.
    """
    flags = {k: v for k, v in vars(arguments).items() if k not in ("command", "config")}
    file = {} if arguments.config is None else read_yaml(arguments.config)
    check_values(config_class, file, where=arguments.config)
    values = file | flags
    if config_class in RESUMED and values.get("resume"):
        values = with_begun_options(config_class, values)
    config = from_mapping(config_class, values)
    defaults: dict[str, Any] = {i.name: i.default for i in dataclasses.fields(config_class)}  # type: ignore[arg-type]
    changed = {name for name in file if getattr(config, name) != defaults[name]}
    return config, frozenset(flags) | changed


def with_begun_options(config_class: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return the stored options of the run to resume, updated with the given options.

    Raises
    ------
    InputError
        If no run is there and the user gave too little to begin one.
    """
    out = Path(values.get("out", ""))
    tables = {"data", "train", "sequences"}  # a new run needs one of these
    complete = not missing_options(config_class, values) and not tables.isdisjoint(values)
    if complete and begun(out, RESUMED[config_class]) is None:
        return values
    return as_mapping(resumed_config(out, config_class)) | values
