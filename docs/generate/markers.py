"""A page with markers comes in; the page with generated text goes out.

A marker is a separate line, `<!-- generated: KIND ARGUMENT -->`, with a kind from `KINDS`.
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path

from docs.generate.options import command_options, commands
from docs.generate.records import RECORDS, record_table

ROOT = Path(__file__).resolve().parents[2]
MARKER = re.compile(r"^<!-- generated: (\w+)(?: (\S+))? -->$", re.MULTILINE)


def whole_file(argument: str) -> str:
    """Return a Markdown file of the repository without its title."""
    text = (ROOT / argument).read_text(encoding="utf-8")
    return text.split("\n", 1)[1].strip()


KINDS: dict[str, Callable[[str], str]] = {
    "options": command_options,
    "record": record_table,
    "file": whole_file,
}
"""Kind of marker → function of its argument that returns Markdown."""


def expand(markdown: str, page: str) -> tuple[str, set[str]]:
    """Replace all markers of a page; return it with the markers as `KIND ARGUMENT`.

    Raises
    ------
    KeyError
        If a marker is of an unknown kind.
    """
    used: set[str] = set()

    def replace(match: re.Match[str]) -> str:
        kind, argument = match[1], match[2] or ""
        if kind not in KINDS:
            raise KeyError(f"{page}: unknown marker {kind}; known: {', '.join(KINDS)}")
        used.add(f"{kind} {argument}".strip())
        return KINDS[kind](argument)

    return MARKER.sub(replace, markdown), used


def complaints(used: Iterable[str]) -> list[str]:
    """Return one sentence for each command and each record that no page shows."""
    seen = set(used)
    wanted = [f"options {name}" for name in commands()]
    wanted += [f"record {path.stem}" for path in sorted(RECORDS.glob("*.json"))]
    return [f"no page has the marker `{name}`" for name in wanted if name not in seen]
