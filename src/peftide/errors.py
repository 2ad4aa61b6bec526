"""What can go wrong for a user, and the one shape in which it is said."""

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SHOWN_PROBLEMS = 20
MOST_NAMES = 30
LONGEST_NAME = 60
LONGEST_PROBLEM = 300
LONGEST_MESSAGE = 2000
LONGEST_LIST = 1700
"""Characters of the problems in one message, which leaves room for the advice."""
PLACED = re.compile(r"(?P<file>.+?)(?P<before>:| row )(?P<line>\d+): (?P<text>.+)", re.DOTALL)
"""A problem with its file and line."""
SHOWN_LINES = 3


class PeftideError(Exception):
    """Anything peftide says about itself; the command line prints it as one message."""

    exit_code = 1


class InputError(PeftideError, ValueError):
    """The user's input is wrong.

    Parameters
    ----------
    received
        What peftide got, in the user's own words where possible.
    expected
        What it can take instead.
    where
        File and line, record id, or option name.
    fix
        What to do.

    Attributes
    ----------
    problems
        The single problems, without the advice on all.
    """

    exit_code = 2

    def __init__(
        self, received: str, *, expected: str = "", where: str | Path = "", fix: str = ""
    ) -> None:
        received = cropped(received, LONGEST_MESSAGE)
        self.received, self.expected, self.where, self.fix = received, expected, str(where), fix
        place = f"{where}: " if str(where) else ""
        wanted = f"; expected {expected}" if expected else ""
        text = f"{place}{received}{wanted}"
        self.problems = [text]
        super().__init__(with_fix(text, fix))


class Problems:
    """The problems of several steps, so that one message names all.

    Examples
    --------
    >>> problems = Problems()
    >>> with problems.collected():
    ...     raise InputError("a.tsv:3: the label is empty")
    >>> with problems.collected():
    ...     raise InputError("a.tsv:7: the id is empty")
    >>> problems.raise_all()
    Traceback (most recent call last):
    peftide.errors.InputError: 2 problems in the input:
      a.tsv:3: the label is empty
      a.tsv:7: the id is empty
    """

    def __init__(self) -> None:
        self.found: list[str] = []
        self._fixes: list[str] = []

    @contextmanager
    def collected(self, *, only_of_rows: bool = False) -> Iterator[None]:
        """Keep the problems of the step inside instead of raising them.

        Parameters
        ----------
        only_of_rows
            Keep those with a file and a line, and drop the others.
        """
        try:
            yield
        except InputError as error:
            kept = [p for p in error.problems if not only_of_rows or PLACED.fullmatch(p)]
            self.found += kept
            self._fixes += [error.fix] if kept and error.fix else []

    def raise_all(self) -> None:
        """Raise all problems as one error, in the order of lines; do nothing if there are none.

        Raises
        ------
        InputError
            See `raise_problems`.
        """
        ordered = sorted(self.found, key=_file_and_line)
        raise_problems(ordered, fix="\n".join(dict.fromkeys(self._fixes)))


class BackboneError(InputError):
    """A backbone that cannot be had or cannot be used."""


class NotFiniteError(BackboneError):
    """A backbone gives numbers that are not finite.

    Parameters
    ----------
    index
        The first sequence with such numbers.
    """

    def __init__(self, received: str, *, index: int, fix: str = "") -> None:
        self.index = index
        super().__init__(received, fix=fix)


class TrainingError(PeftideError, RuntimeError):
    """Training cannot go on, for instance because the loss is not finite."""


class StorageError(PeftideError, RuntimeError):
    """A file could not be written; what stood there before is untouched."""


class HubError(PeftideError, RuntimeError):
    """A model hub, or a server with data, refused something or cannot be reached."""

    def __init__(self, text: str, *, fix: str) -> None:
        super().__init__(with_fix(text, fix))


TRAINING_FAILURES = (PeftideError, MemoryError, RuntimeError, OSError)
"""Errors of one training that leave other trainings possible."""


def with_fix(text: str, fix: str) -> str:
    """Return a message followed by the advice, with one full stop or question mark between them.

    Examples
    --------
    >>> with_fix("an id?", "Correct it"), with_fix("an id", "Correct it"), with_fix("an id", "")
    ('an id? Correct it', 'an id. Correct it', 'an id')
    """
    if not fix:
        return text
    return f"{text} {fix}" if text.endswith((".", "?", "!")) else f"{text}. {fix}"


def cropped(text: str, most: int) -> str:
    """Return at most so many characters of a text, with a mark where the rest was.

    Examples
    --------
    >>> cropped("MKVLA", 3)
    'MKV …'
    """
    return text if len(text) <= most else f"{text[:most]} …"


def did_you_mean(name: str, options: Iterable[str]) -> str:
    """One sentence that names the closest option and all options, or the nearest of many.

    Examples
    --------
    >>> did_you_mean("lorra", ["head", "lora", "full"])
    'Did you mean lora? Known: head, lora, full'
    """
    known = list(options)
    close = cropped(closest(name, known), LONGEST_NAME)
    hint = f"Did you mean {close}? " if close else ""
    if len(known) <= MOST_NAMES:
        return f"{hint}Known: {_listed(known)}"
    return hint.strip() or f"Some of {len(known)}: {_listed(nearest(name, known)[:MOST_NAMES])}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(cropped(name, LONGEST_NAME) for name in names)


def nearest(name: str, options: Iterable[str]) -> list[str]:
    """Return options, the most similar spelling first.

    Examples
    --------
    >>> nearest("rate", ["seed", "epochs", "learning_rate"])
    ['learning_rate', 'seed', 'epochs']
    """

    def unlike(option: str) -> float:
        return -difflib.SequenceMatcher(None, name[:LONGEST_NAME].lower(), option.lower()).ratio()

    return sorted(options, key=unlike)


def closest(name: str, options: Iterable[str]) -> str:
    """Return the option that is spelled most alike, or nothing if none is.

    Examples
    --------
    >>> closest("--epoch", ["--epochs", "--patience"])
    '--epochs'
    """
    by_lower = {option.lower(): option for option in options}
    close = difflib.get_close_matches(name[:LONGEST_NAME].lower(), by_lower, n=1)
    return by_lower[close[0]] if close else ""


def raise_problems(problems: Sequence[str], *, fix: str = "") -> None:
    """Raise all collected problems as one `InputError`; do nothing when there are none.

    Raises
    ------
    InputError
        If there is at least one problem. The first few are shown; one that several lines have is
        shown once, with the numbers of these lines.
    """
    if not problems:
        return
    problems = list(dict.fromkeys(problems))
    if len(problems) == 1:
        raise InputError(problems[0], fix=fix)
    shown, rest = _fitting(_of_several_lines(problems))
    listed = "\n  ".join([*shown, *([f"… and {rest:,} more"] if rest else [])])
    remedy = f"\n{fix}" if fix else ""
    error = InputError(f"{len(problems):,} problems in the input:\n  {listed}{remedy}")
    error.problems, error.fix = problems, fix
    raise error


def _fitting(groups: Sequence[Sequence[str]]) -> tuple[list[str], int]:
    """Return the first problems, as many as a message has room for, and the count of the others."""
    shown: list[str] = []
    for group in groups[:SHOWN_PROBLEMS]:
        text = cropped(group[0], LONGEST_PROBLEM) + _other_lines(group[1:])
        if shown and sum(map(len, shown)) + len(text) > LONGEST_LIST:
            break
        shown.append(text)
    return shown, sum(map(len, groups[len(shown) :]))


def _file_and_line(problem: str) -> tuple[str, int]:
    """Return the file and the line of a problem; problems without come first."""
    found = PLACED.fullmatch(problem)
    return ("", 0) if found is None else (found["file"], int(found["line"]))


def _of_several_lines(problems: Sequence[str]) -> list[list[str]]:
    """Return groups of problems that differ only in the line of the same file."""
    groups: dict[tuple[str, str], list[str]] = {}
    for problem in problems:
        found = PLACED.fullmatch(problem)
        key = (problem, "") if found is None else (found["file"], found["text"])
        groups.setdefault(key, []).append(problem)
    return list(groups.values())


def _other_lines(problems: Sequence[str]) -> str:
    """Say which other lines have the same problem."""
    found = [match for match in map(PLACED.fullmatch, problems) if match]
    if not found:
        return ""
    what = "line" if found[0]["before"] == ":" else "row"
    numbers = ", ".join(match["line"] for match in found[:SHOWN_LINES])
    more = f" and {len(found) - SHOWN_LINES:,} more" if len(found) > SHOWN_LINES else ""
    return f" (also in {what}{'s' if len(found) > 1 else ''} {numbers}{more})"
