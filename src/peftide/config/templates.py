"""A config → YAML with a comment above each option, which `--config` reads as it is."""

import dataclasses
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from peftide.config.options import grouped_fields
from peftide.config.reading import as_mapping

COLUMNS = 88
COMMENT = "# "


def template_lines(
    config: Any, *, without: frozenset[str], active: frozenset[str]
) -> Iterator[str]:
    """Yield the lines of a YAML file with the options of a config, in their groups.

    Parameters
    ----------
    without
        Options to leave out.
    active
        Options to write as values; the others are written as comments with their defaults.
    """
    values, groups = as_mapping(config), dict[str, list[Any]]()
    for heading, field in grouped_fields(type(config)):
        if field.name not in without:
            groups.setdefault(heading, []).append(field)
    for heading, fields in groups.items():
        yield from ("", f"# --- {heading} ".ljust(COLUMNS, "-"))
        for field in sorted(fields, key=lambda one: one.name not in active):
            mark = "" if field.name in active else "#"
            yield from ("", *_comment(field), f"{mark}{field.name}: {scalar(values[field.name])}")


def _comment(field: "dataclasses.Field[Any]") -> list[str]:
    text = field.metadata["doc"]
    if field.metadata["limit"]:
        text += f". Range: {field.metadata['limit']}"
    lines = textwrap.wrap(text, COLUMNS - len(COMMENT), break_on_hyphens=False)
    return [COMMENT + line for line in lines]


def scalar(value: Any) -> str:
    """Return a plain value as YAML on one line.

    Examples
    --------
    >>> scalar(None), scalar(True), scalar(["auto"]), scalar("a: b"), scalar(0.1)
    ('null', 'true', '[auto]', "'a: b'", '0.1')
    """
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...").strip()
