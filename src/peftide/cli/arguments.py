"""Config dataclass → command-line parser, and parsed words → config."""

import argparse
import dataclasses
import typing
from pathlib import Path
from typing import Any, TypeVar

from peftide.config import as_mapping, from_mapping, read_yaml
from peftide.config.reading import field_types, flag, missing_options
from peftide.run_folder import RESUMED, RunFolder, resumed_config

Config = TypeVar("Config")


def add_options(parser: argparse.ArgumentParser, config_class: type) -> None:
    """Add one option per field; values stay text until the config is built."""
    kinds = field_types(config_class)
    for field in dataclasses.fields(config_class):
        if field.metadata.get("positional"):
            parser.add_argument(field.name, metavar=field.name.upper(), help=_help(field, kinds))
        else:
            parser.add_argument(
                flag(field.name), dest=field.name, **_form(field, kinds[field.name], kinds)
            )
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="YAML file with the same keys as these options"
    )


def _form(field: dataclasses.Field[Any], kind: Any, kinds: dict[str, Any]) -> dict[str, Any]:
    form: dict[str, Any] = {"help": _help(field, kinds), "default": argparse.SUPPRESS}
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


def _help(field: dataclasses.Field[Any], kinds: dict[str, Any]) -> str:
    text = field.metadata["doc"].replace("%", "%%")
    default = field.default
    if default is dataclasses.MISSING:
        return f"{text} (required)"
    if default in (None, (), "") or kinds[field.name] is bool:
        return text
    shown = ",".join(map(str, default)) if isinstance(default, tuple) else default
    return f"{text} (default: {shown})"


def given_values(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what the user gave: the YAML file's keys, and over them the flags."""
    values = {k: v for k, v in vars(arguments).items() if k not in ("command", "config")}
    if arguments.config is not None:
        values = read_yaml(arguments.config) | values
    return values


def parse_config(config_class: type[Config], arguments: argparse.Namespace) -> Config:
    """Return the config of a command.

    Raises
    ------
    InputError
        For every option that is wrong.
    """
    values = given_values(arguments)
    if config_class in RESUMED and values.get("resume"):
        values = with_begun_options(config_class, values)
    return from_mapping(config_class, values)


def with_begun_options(config_class: type, values: dict[str, Any]) -> dict[str, Any]:
    """Return what the user gave over the options that the run to resume began with.

    Raises
    ------
    InputError
        If no run is there and the user gave too little to begin one.
    """
    out = Path(values.get("out", ""))
    tables = {"data", "train", "sequences"}  # no run begins without one of them
    complete = not missing_options(config_class, values) and not tables.isdisjoint(values)
    if complete and not RunFolder(out).config.is_file():
        return values
    return as_mapping(resumed_config(out, config_class)) | values
