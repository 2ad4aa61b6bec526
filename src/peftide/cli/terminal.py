"""The width and the colours of a terminal; without one, text stays as it is."""

import os
import re
import textwrap
from typing import Any

NARROWEST = 20
WITHOUT_TERMINAL = 80
STYLES = {"good": "1;32", "bad": "1;31", "doubtful": "1;33", "strong": "1"}
"""Name of a style → its ANSI code: bold green, red and yellow, and bold."""
QUOTED = re.compile(r"`[^`\n]*`")
UNBROKEN = "\x00"
Stream = Any
"""A text stream of the process, or an object in its place (a progress bar, a test)."""


def is_terminal(stream: Stream) -> bool:
    """Return whether a person reads a stream as it is written."""
    return not stream.closed and stream.isatty()


def is_plain(stream: Stream) -> bool:
    """Return whether a stream takes no control codes: no terminal, or a dumb one."""
    return not is_terminal(stream) or os.environ.get("TERM", "dumb") in ("", "dumb")


def has_colours(stream: Stream) -> bool:
    """Return whether to colour a stream; https://no-color.org lets the user refuse."""
    return not is_plain(stream) and not os.environ.get("NO_COLOR")


def width_of(stream: Stream) -> int | None:
    """Return the columns of a terminal; None for a file or a pipe, whose lines are not wrapped."""
    if not is_terminal(stream):
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return max(NARROWEST, int(columns))
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    return max(NARROWEST, found) if found else WITHOUT_TERMINAL


def styled(text: str, style: str, stream: Stream) -> str:
    """Return each line of a text in a style, if the stream has colours."""
    if not style or not has_colours(stream):
        return text
    code = STYLES[style]
    return "\n".join(f"\x1b[{code}m{line}\x1b[0m" if line else line for line in text.split("\n"))


def wrapped(text: str, width: int | None) -> str:
    """Return a text whose lines fit a width, with the continued lines indented.

    A command in backticks stays on one line, so that it can be copied.

    Examples
    --------
    >>> print(wrapped("note: 3 rows of the table are repeats", 20))
    note: 3 rows of the
      table are repeats
    """
    if width is None:
        return text
    return "\n".join(_wrapped_line(line, width) for line in text.split("\n"))


def _wrapped_line(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = min(len(line) - len(line.lstrip()), width // 2)
    guarded = QUOTED.sub(lambda match: match[0].replace(" ", UNBROKEN), line.strip())
    filled = textwrap.fill(
        guarded,
        width,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(UNBROKEN, " ")
