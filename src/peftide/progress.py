"""A progress bar with rate and time left, or plain lines if standard error is not a terminal."""

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from peftide.quantities import duration

logger = logging.getLogger(__name__)

SECONDS_BETWEEN_LINES = 30.0
SECONDS_BEFORE_FIRST = 5.0


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        """Return the rate as text."""
        return Text(f"{task.speed or 0:,.0f} {task.fields['unit']}/s")


class Meter:
    """Counts the work done and logs rate and time left now and then."""

    def __init__(self, description: str, *, total: float, unit: str) -> None:
        self.description, self.total, self.unit = description, total, unit
        self.done = 0.0
        self._started = self._spoken = time.monotonic()

    def advance(self, amount: float) -> None:
        """Add work that is done."""
        self.done += amount
        if time.monotonic() - self._spoken >= SECONDS_BETWEEN_LINES:
            self._spoken = time.monotonic()
            self._speak()

    def _speak(self) -> None:
        rate = self.done / (time.monotonic() - self._started)
        left = (self.total - self.done) / rate if rate else float("inf")
        logger.info(
            "%s: %.0f %% · %s %s/s · %s left",
            self.description,
            100 * self.done / self.total,
            f"{rate:,.0f}",
            self.unit,
            duration(left),
        )


class _Bar(Meter):
    """A meter drawn as a bar."""

    def __init__(self, progress: Progress, description: str, *, total: float, unit: str) -> None:
        super().__init__(description, total=total, unit=unit)
        self._progress = progress
        self._task = progress.add_task(description, total=total, unit=unit)

    def advance(self, amount: float) -> None:
        """Add work that is done."""
        self._progress.advance(self._task, amount)


@contextmanager
def meter(description: str, *, total: float, unit: str) -> Iterator[Meter]:
    """Yield a meter for work of known size.

    Examples
    --------
    >>> with meter("embedding", total=10, unit="residues") as progress:
    ...     progress.advance(10)
    """
    if not sys.stderr.isatty():
        yield Meter(description, total=total, unit=unit)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Bar(progress, description, total=total, unit=unit)


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
