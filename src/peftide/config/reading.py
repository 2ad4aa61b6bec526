"""Plain values → config dataclass, with all mistakes in one error; and back to YAML."""

import dataclasses
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from peftide.config.limits import out_of_range
from peftide.errors import did_you_mean, raise_problems
from peftide.quantities import count_of
from peftide.saved import shown

Config = TypeVar("Config")
QUOTES = "'\""


def field_types(config_class: type) -> dict[str, Any]:
    """Return the annotated type of each field of a config class."""
    kinds = typing.get_type_hints(config_class)
    return {item.name: kinds[item.name] for item in dataclasses.fields(config_class)}


def from_mapping(config_class: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a config from plain values of a YAML file, or from text of the command line.

    Parameters
    ----------
    config_class
        One of the dataclasses of `peftide.config`.
    values
        Field name → value. Lists become tuples, text becomes the type of the field.

    Raises
    ------
    InputError
        For unknown keys, values of the wrong kind, numbers out of their range and missing required
        fields, all together.

    Examples
    --------
    >>> from peftide.config import EmbedConfig
    >>> from_mapping(EmbedConfig, {"out": "e.h5", "max_length": "none"}).max_length is None
    True
    """
    converted, problems = _read(config_class, values)
    raise_problems(problems + missing_options(config_class, values))
    return config_class(**converted)


def check_values(config_class: type, values: Mapping[str, Any], *, where: Path | None) -> None:
    """Raise if a file has unknown options or values of the wrong kind; options may be missing.

    Raises
    ------
    InputError
        Names the file, and all such options together.
    """
    raise_problems([f"{where}: {problem}" for problem in _read(config_class, values)[1]])


def _read(config_class: type, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return converted values, and one problem for each unknown option or wrong value."""
    kinds = field_types(config_class)
    problems = [
        f"unknown option {shown(key).strip(QUOTES)}. {did_you_mean(key, kinds)}"
        for key in values
        if key not in kinds
    ]
    known = {key: value for key, value in values.items() if key in kinds}
    converted, wrong = _converted(config_class, known)
    return converted, problems + wrong


def check_fields(config: Any) -> None:
    """Convert every field of a new config to its type, as `from_mapping` does.

    Raises
    ------
    InputError
        For values of the wrong kind and numbers out of their range, all together.
    """
    names = [item.name for item in dataclasses.fields(config)]
    converted, problems = _converted(type(config), {name: getattr(config, name) for name in names})
    raise_problems(problems)
    for name, value in converted.items():
        object.__setattr__(config, name, value)


def _converted(config_class: type, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return values of the right kind, and one problem for each other value."""
    kinds = field_types(config_class)
    called = {item.name: field_name(item) for item in dataclasses.fields(config_class)}
    takes_data = {f.name for f in dataclasses.fields(config_class) if f.metadata.get("in_memory")}
    converted: dict[str, Any] = {}
    problems = []
    for name, value in values.items():
        is_mapping = name != "sequences" and isinstance(value, Mapping)
        if name in takes_data and is_in_memory(value) and not is_mapping:
            converted[name] = value
            continue
        try:
            converted[name] = convert(value, kinds[name])
        except ValueError as error:
            problems.append(f"{called[name]}: received {shown(value)}; expected {error}")
    problems += [
        f"{called[name]}: received {shown(value)}; expected {expected}"
        for name, value, expected in out_of_range(config_class, converted)
    ]
    return converted, problems


def is_in_memory(value: Any) -> bool:
    """Return whether a value is data (DataFrame, Series, mapping of sequences), not a path."""
    return hasattr(value, "to_csv") or isinstance(value, Mapping)


def missing_options(config_class: type, given: Mapping[str, Any]) -> list[str]:
    """Return one problem for each required option that was left out."""
    return [
        f"{field_name(item)} is missing: {item.metadata['doc']}"
        for item in dataclasses.fields(config_class)
        if item.default is dataclasses.MISSING and item.name not in given
    ]


def field_name(item: dataclasses.Field[Any]) -> str:
    """Return the name of a field on the command line."""
    return item.name.upper() if item.metadata.get("positional") else flag(item.name)


def flag(name: str) -> str:
    """Return the command-line flag of a field.

    Examples
    --------
    >>> flag("lora_r")
    '--lora-r'
    """
    return "--" + name.replace("_", "-")


def convert(value: Any, kind: Any) -> Any:
    """Turn a plain value into the type of a field.

    Raises
    ------
    ValueError
        Its text is the expected kind of value.
    """
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return _convert_any(value, typing.get_args(kind))
    if origin is typing.Literal:
        return _convert_choice(value, typing.get_args(kind))
    if origin is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, (list, tuple)):
            raise ValueError("a list")
        return tuple(convert(part, typing.get_args(kind)[0]) for part in parts)
    return _convert_plain(value, kind)


def _convert_any(value: Any, kinds: tuple[Any, ...]) -> Any:
    """Turn a value into the first of several kinds that accepts it."""
    is_none = value is None or (isinstance(value, str) and value.lower() == "none")
    if type(None) in kinds and is_none:
        return None
    expected = []
    for kind in (kind for kind in kinds if kind not in (type(None), Any)):
        try:
            return convert(value, kind)
        except ValueError as error:
            expected.append(str(error))
    raise ValueError(" or ".join(expected))


def _convert_choice(value: Any, options: Sequence[str]) -> str:
    text = str(value).replace("-", "_")
    if text not in options:
        raise ValueError(f"one of {', '.join(options)}" if len(options) > 1 else options[0])
    return text


def _convert_plain(value: Any, kind: type) -> Any:
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError("true or false")
        return value
    expected = {int: "a whole number", float: "a number", str: "text", Path: "a path"}[kind]
    if isinstance(value, (bool, list, dict)) or value is None or is_in_memory(value):
        raise ValueError(expected)
    if "\0" in str(value):
        raise ValueError(f"{expected} without null bytes")
    if kind in (int, float) and "_" in str(value):
        raise ValueError(expected)  # Python reads 1_0 as 10
    try:
        return kind(str(value))
    except ValueError:
        raise ValueError(expected) from None


def to_yaml(config: Any) -> str:
    """Return a config as YAML that `read_yaml` and `from_mapping` can read."""
    return yaml.safe_dump(as_mapping(config), sort_keys=False, allow_unicode=True)


def as_mapping(config: Any) -> dict[str, Any]:
    """Return a config as plain values: paths as text, tuples as lists, data as its size."""
    return {item.name: _plain(getattr(config, item.name)) for item in dataclasses.fields(config)}


def typed_mapping(config_class: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plain values of a file, each of the type of its field; others as they stand.

    Raises
    ------
    InputError
        For values of the wrong kind and numbers out of their range, all together.
    """
    kinds = field_types(config_class)
    known = {key: value for key, value in values.items() if key in kinds}
    converted, problems = _converted(config_class, known)
    raise_problems(problems)
    return {**values, **{key: _plain(value) for key, value in converted.items()}}


def _plain(value: Any) -> Any:
    if is_in_memory(value):
        return f"{type(value).__name__} of {count_of(len(value), 'row')}"
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
