"""A file on disk → its content in a checked form; damage becomes one error with file and key.

A form is a dataclass (or a type such as `dict[str, int]`): its annotations are the schema. The
library that checks it loads only when a file is read.
"""

import json
import math
import reprlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, Never, TypeVar

from peftide.errors import InputError

Form = TypeVar("Form")
SHOWN_FAULTS = 5
"""Faults of one file that a message names."""
EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "an object {…}",
    "dataclass_type": "an object {…}",
    "model_type": "an object {…}",
    "none_required": "null",
}
"""Kind of a mistake → the expected kind of value, in the words of JSON."""
OTHER_KEYS_ALLOWED = {"strict": True, "extra": "ignore", "allow_inf_nan": False}
"""`__pydantic_config__` of a form that names only some of the keys."""
LIBRARY_ERRORS = (
    *(ArithmeticError, LookupError, MemoryError, OSError, RuntimeError, TypeError, ValueError),
)
"""Errors of libraries about values that no sound file has."""
MODEL_LIBRARY_ERRORS = (*LIBRARY_ERRORS, AssertionError, AttributeError)
"""The same for transformers and peft: they assert the values of a configuration, or use attributes
of a value whose type they did not check."""
SHORT = reprlib.Repr()
SHORT.maxstring = SHORT.maxother = 60


@dataclass(frozen=True)
class Versioned:
    """The key by which the file of a newer peftide is noticed, before its form is checked."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int


def shown(value: Any) -> str:
    """Return a value as short text for a message.

    Examples
    --------
    >>> len(shown("x" * 1_000_000)) < 100
    True
    """
    return SHORT.repr(value)


def read_text(path: Path, *, where: str | Path = "", fix: str = "") -> str:
    """Return the text of a file.

    Raises
    ------
    InputError
        If the file cannot be read, or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"byte {error.start:,} of the file is {error.object[error.start]:#04x}",
            expected="text in UTF-8",
            where=path,
            fix=fix,
        ) from error
    except OSError as error:
        raise InputError(
            f"cannot read {path}: {error.strerror or error}", where=where, fix=fix
        ) from error


def read_json(path: Path, form: type[Form], *, finite: bool = True, fix: str = "") -> Form:
    """Read a JSON file into a form.

    Parameters
    ----------
    finite
        Whether to refuse NaN and infinities, which are no JSON.
    fix
        What the user can do about a damaged file.

    Raises
    ------
    InputError
        If the file cannot be read, is no JSON, or does not have the form. All keys that are
        missing or have a value of the wrong kind are named.
    """
    text = read_text(path, fix=fix)
    parse_json(text, path, finite=finite, fix=fix)
    return in_form(text, form, path=path, finite=finite, fix=fix)


def read_object(
    path: Path, form: type | None = None, *, finite: bool = True, fix: str = ""
) -> dict[str, Any]:
    """Read a JSON object as plain values, after a check of its form if one is given.

    Raises
    ------
    InputError
        As `read_json`.
    """
    text = read_text(path, fix=fix)
    content = parse_json(text, path, finite=finite, fix=fix)
    if not isinstance(content, dict):
        raise InputError(f"holds {shown(content)}", expected="an object {…}", where=path, fix=fix)
    if form is not None:
        in_form(text, form, path=path, finite=finite, fix=fix)
    return content


def read_frame(path: Path, *, columns: Iterable[str] = (), **options: Any) -> Any:
    """Return a table that peftide wrote, as a DataFrame.

    Parameters
    ----------
    columns
        Columns that it must have.
    options
        As in `pandas.read_csv`.

    Raises
    ------
    InputError
        If the file cannot be read, is no table, or lacks a column.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(StringIO(read_text(path)), sep="\t", **options)
    except InputError:
        raise
    except LIBRARY_ERRORS as error:
        raise InputError(f"cannot be read ({error})", expected="a table", where=path) from error
    missing = [name for name in columns if name not in frame]
    if missing:
        names = "no column " + ", ".join(missing)
        raise InputError(names, expected="the table as it was written", where=path)
    return frame


def parse_json(text: str, path: Path, *, finite: bool = True, fix: str = "") -> Any:
    """Return the plain values of JSON text, which must be strict and name no key twice.

    Raises
    ------
    InputError
        If the text is anything else.
    """
    if not text.strip():
        raise InputError("the file is empty", expected="JSON", where=path, fix=fix)
    rules: dict[str, Any] = {"parse_constant": _not_a_number, "parse_float": _finite}
    try:
        return json.loads(text, object_pairs_hook=_distinct, **(rules if finite else {}))
    except RecursionError as error:
        raise InputError("too many nested brackets", where=path, fix=fix) from error
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", where=path, fix=fix) from error


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in content if names.count(name) > 1)
        raise ValueError(f"the key {shown(twice)} occurs twice")
    return content


def _not_a_number(text: str) -> Never:
    raise ValueError(f"{text} is no number of JSON")


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{shown(text)} is too large a number")
    return number


def in_form(text: str, form: type[Form], *, path: Path, finite: bool = True, fix: str = "") -> Form:
    """Return the values of JSON text as a form.

    Raises
    ------
    InputError
        Names the first keys that are missing, unknown, or have a value of the wrong kind.
    """
    from pydantic import ValidationError

    try:
        return _checker(form, finite).validate_json(f"[{text}]")[0]
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        problems = [_problem(mistake["loc"][1:], mistake) for mistake in found]
        rest = len(problems) - SHOWN_FAULTS
        more = [f"and {rest} more"] if rest > 0 else []
        raise InputError("; ".join(problems[:SHOWN_FAULTS] + more), where=path, fix=fix) from error


@cache
def _checker(form: Any, finite: bool) -> Any:
    """Return what checks a form. Inside a tuple, a plain dataclass follows these rules too."""
    from pydantic import ConfigDict, TypeAdapter

    rules = ConfigDict(strict=True, extra="forbid", allow_inf_nan=not finite)
    return TypeAdapter(tuple[form], config=rules)  # type: ignore[valid-type]


def _problem(place: tuple[int | str, ...], mistake: Mapping[str, Any]) -> str:
    key = ".".join(map(str, place)) or "the content"
    kind = mistake["type"]
    if kind == "missing":
        return f"{key} is missing"
    if kind in ("unexpected_keyword_argument", "extra_forbidden"):
        return f"{key} is no known key"
    expected = EXPECTED.get(kind) or mistake["msg"].removeprefix("Input should be ")
    return f"{key}: received {shown(mistake['input'])}, expected {expected}"


@contextmanager
def tensor_errors(path: Path, *, fix: str = "") -> Iterator[None]:
    """Turn the errors of a damaged safetensors file into one clear error.

    Raises
    ------
    InputError
        If the block fails to read the file.
    """
    from safetensors import SafetensorError

    try:
        yield
    except (SafetensorError, OSError) as error:
        text = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"cannot be read ({text}): the file is damaged or incomplete", where=path, fix=fix
        ) from error


def check_tensors(
    found: Mapping[str, Any], expected: Mapping[str, Any], *, path: Path, fix: str = ""
) -> None:
    """Make sure that tensors have the names, shapes and number types of those expected.

    Raises
    ------
    InputError
        Names the first tensors that differ.
    """
    problems = [f"{name} is missing" for name in expected if name not in found]
    problems += [f"{shown(name)} is no known tensor" for name in found if name not in expected]
    problems += [
        f"{name}: received {_tensor_form(found[name])}, expected {_tensor_form(wanted)}"
        for name, wanted in expected.items()
        if name in found and _tensor_form(found[name]) != _tensor_form(wanted)
    ]
    if problems:
        rest = len(problems) - SHOWN_FAULTS
        more = [f"and {rest} more"] if rest > 0 else []
        raise InputError("; ".join(problems[:SHOWN_FAULTS] + more), where=path, fix=fix)


def _tensor_form(tensor: Any) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
