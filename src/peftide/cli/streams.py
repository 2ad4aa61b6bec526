"""Standard output and error for any terminal: every encoding, a pipe that closes, no stream."""

import codecs
import io
import os
import sys
from typing import TextIO

from peftide.cli.terminal import styled, width_of, wrapped
from peftide.errors import InputError, StorageError

PLAIN = "peftide.plain"
"""Name of the error handler of both streams."""
LOOK_ALIKES = {
    **{"–": "-", "−": "-", "—": "-", "…": "...", "·": "*", "∘": "*", "×": "x", "²": "2"},
    **{"→": "->", "≤": "<=", "≥": ">=", "≈": "~", "±": "+-", "’": "'", "“": '"', "”": '"'},
    **{"━": "-", "╸": "-", "╺": "-", "•": "*", "µ": "u"},
}
STANDARD_DESCRIPTORS = 3


def prepare_streams() -> None:
    r"""Let both streams take any text, and open them if the caller has closed them.

    A character that the encoding lacks becomes its plain form (`→` is written `->`), or else its
    escape (`\u4e2d`).
    """
    # a closed descriptor would go to the next opened file, and a library could print into it
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < STANDARD_DESCRIPTORS:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or _nowhere()
    sys.stderr = sys.stderr or _nowhere()
    codecs.register_error(PLAIN, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=PLAIN)


def hide_streams() -> None:
    """Print nothing from now on: of several processes, the first one prints for all."""
    sys.stdout, sys.stderr = _nowhere(), _nowhere()


def show_errors() -> None:
    """Print to standard error again, after `hide_streams`."""
    sys.stderr = sys.__stderr__ or sys.stderr


def _nowhere() -> TextIO:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 — open until the process ends


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an encoding lacks; an error handler of `codecs`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    shown = [LOOK_ALIKES.get(character) or _escape(character) for character in missing]
    return "".join(shown), error.end


def _escape(character: str) -> str:
    return character.encode("ascii", "backslashreplace").decode("ascii")


def say(text: str, *, style: str = "", wrap: bool = True) -> None:
    """Print to standard output; a reader that has gone (`| head`) changes no exit code.

    Parameters
    ----------
    style
        A key of `peftide.cli.terminal.STYLES`, for a terminal with colours.
    wrap
        Whether long lines are wrapped at the width of a terminal.

    Raises
    ------
    StorageError
        If standard output is a file on a full disk.
    """
    try:
        shown = wrapped(text, width_of(sys.stdout)) if wrap else text
        print(styled(shown, style, sys.stdout), flush=True)
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        raise StorageError(f"cannot write standard output: {error.strerror}") from error


def complain(text: str, *, style: str = "", wrap: bool = True) -> None:
    """Print to standard error; if nobody can read it, the exit code still says what happened.

    Parameters
    ----------
    style
        Style of the label before the first colon.
    wrap
        Whether long lines are wrapped at the width of a terminal.
    """
    shown = wrapped(text, width_of(sys.stderr)) if wrap else text
    label, colon, rest = shown.partition(":")
    try:
        print(styled(label + colon, style, sys.stderr) + rest, file=sys.stderr, flush=True)
    except OSError:
        discard_output(sys.stderr)


def require_output() -> None:
    """Raise if the caller has closed standard output.

    Raises
    ------
    InputError
        If it is closed.
    """
    if sys.__stdout__ is None:
        raise InputError("standard output is closed", where="--out", fix="Name a file with --out")


def discard_output(stream: TextIO | None = None) -> None:
    """Drop everything that a stream (standard output) still holds, and everything that follows."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, (stream or sys.stdout).fileno())
    os.close(nowhere)


def release_streams() -> None:
    """Write out what both streams hold, or drop it if nobody reads it."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            discard_output(stream)
