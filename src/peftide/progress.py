"""A progress bar with rate and time left, or plain lines if standard error is not a terminal."""

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Column
from rich.text import Text

from peftide.quantities import duration

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BEFORE_FIRST = 5.0
LEAST_SHARE = 0.02
"""Share of the work that is done before the time left is forecast."""
NARROW, WIDE = 60, 100
"""Columns of a terminal below which a bar is left out, and from which it shows the rate."""
BAR_COLUMNS = 20

ABOUT_DATA = ("peftide.sequences", "peftide.tasks")
"""Loggers whose lines are the same each time that a table is read."""

_bars = 0  # bars shown at present: one at a time


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        """Return the rate as text."""
        return Text(f"{task.speed or 0:,.0f} {task.fields['unit']}/s")


COLUMNS: dict[type, int] = {BarColumn: BAR_COLUMNS, TaskProgressColumn: 4, TimeRemainingColumn: 7}
COLUMNS[_Rate] = 22
"""Part of a bar → its columns at most."""


class _Once(logging.Filter):
    """Lets a line about the data, or a note, pass once."""

    def __init__(self) -> None:
        super().__init__()
        self.said = set[str]()

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to show a line."""
        text = record.getMessage()
        if not (record.name.startswith(ABOUT_DATA) or text.startswith("note: ")):
            return True
        is_new = text not in self.said
        self.said.add(text)
        return is_new


@contextmanager
def saying_once() -> Iterator[None]:
    """Show each line about the data and each note once, however many trainings repeat it."""
    filters = [(handler, _Once()) for handler in logging.getLogger().handlers]
    for handler, once in filters:
        handler.addFilter(once)
    try:
        yield
    finally:
        for handler, once in filters:
            handler.removeFilter(once)


def is_saying_once() -> bool:
    """Return whether lines about the data have been shown, so that a child need not repeat them."""
    filters = [one for handler in logging.getLogger().handlers for one in handler.filters]
    return any(isinstance(one, _Once) for one in filters)


class Meter:
    """Counts the work done and logs rate and time left now and then.

    Parameters
    ----------
    beside
        Text to show beside the progress, such as the best score so far.
    """

    def __init__(self, description: str, *, total: float, unit: str, beside: str = "") -> None:
        self.description, self.total, self.unit = description, total, unit
        self.beside = beside
        self.done = self._before = 0.0
        self._started = time.monotonic()
        self._next = self._started + SECONDS_BEFORE_FIRST

    def begin_at(self, amount: float) -> None:
        """Start after work that an earlier call did; it does not count for the rate."""
        self.done = self._before = amount

    def advance(self, amount: float) -> None:
        """Add work that is done."""
        self.done += amount
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + SECONDS_BETWEEN_LINES
            self._speak()

    def _speak(self) -> None:
        """Log rate and time left, unless the work is about to end."""
        rate = (self.done - self._before) / (time.monotonic() - self._started)
        left = (self.total - self.done) / rate if rate else float("inf")
        if left < SECONDS_BEFORE_FIRST:
            return
        share = self.done / self.total
        logger.info(
            "%s: %.0f %% · %s %s/s%s%s",
            self.description,
            100 * share,
            f"{rate:,.0f}",
            self.unit,
            f" · {duration(left)} left" if share >= LEAST_SHARE else "",
            f" · {self.beside}" if self.beside else "",
        )


class _Bar(Meter):
    """A meter drawn as a bar."""

    def __init__(
        self, progress: Progress, description: str, *, total: float, unit: str, beside: str = ""
    ) -> None:
        super().__init__(description, total=total, unit=unit, beside=beside)
        self._progress = progress
        self._task = progress.add_task(description, total=total, unit=unit, beside=beside)

    def begin_at(self, amount: float) -> None:
        """Start after work that an earlier call did; it does not count for the rate."""
        self._progress.reset(self._task, completed=int(amount))

    def advance(self, amount: float) -> None:
        """Add work that is done."""
        self._progress.advance(self._task, amount)


@contextmanager
def meter(description: str, *, total: float, unit: str, beside: str = "") -> Iterator[Meter]:
    """Yield a meter for work of known size.

    Parameters
    ----------
    beside
        Text to show beside the progress, such as the best score so far.

    Examples
    --------
    >>> with meter("embedding", total=10, unit="residues") as progress:
    ...     progress.advance(10)
    """
    if _bars or not can_redraw():
        yield Meter(description, total=total, unit=unit, beside=beside)
        return
    console = Console(stderr=True, highlight=False)
    # `redirect_stdout` would send standard output to standard error
    with (
        _one_bar(),
        Progress(
            *bar_columns(console.width, description),
            console=console,
            transient=True,
            redirect_stdout=False,
        ) as progress,
    ):
        yield _Bar(progress, description, total=total, unit=unit, beside=beside)


@contextmanager
def _one_bar() -> Iterator[None]:
    global _bars
    _bars += 1
    try:
        yield
    finally:
        _bars -= 1


def can_redraw() -> bool:
    """Return whether standard error is a terminal that can redraw a line."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def bar_columns(width: int, description: str) -> list[ProgressColumn]:
    """Return the parts of a bar that fit on one line of a terminal."""
    name, left = TextColumn("{task.description}", markup=False), TimeRemainingColumn(compact=True)
    parts: list[ProgressColumn] = [name, TaskProgressColumn(), left]
    if width >= NARROW:
        parts[1] = BarColumn(bar_width=BAR_COLUMNS)
    if width >= WIDE:
        parts[2:] = [TaskProgressColumn(), _Rate(), left]
    used = len(description) + sum(COLUMNS.get(type(part), 0) + 1 for part in parts)
    return [*parts, TextColumn("{task.fields[beside]}", table_column=_cropped(width - used))]


def _cropped(width: int) -> Column:
    return Column(no_wrap=True, overflow="ellipsis", max_width=max(1, width))


@contextmanager
def working(description: str) -> Iterator[None]:
    """Say now and then that one long step of unknown size still runs.

    Examples
    --------
    >>> with working("fitting the baseline kmer"):
    ...     pass
    """
    finished, started = threading.Event(), time.monotonic()

    def speak() -> None:
        wait = SECONDS_BEFORE_FIRST
        while not finished.wait(wait):
            logger.info("%s: %s so far", description, duration(time.monotonic() - started))
            wait = SECONDS_BETWEEN_LINES

    speaker = threading.Thread(target=speak, daemon=True)
    speaker.start()
    try:
        yield
    finally:
        finished.set()
        speaker.join()
