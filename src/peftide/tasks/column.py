"""The labels of the training rows as text, and the tasks that fit them."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

ODD_SHARE = 0.1
"""Labels of another kind in at most this share of the rows are odd ones, maybe mistakes."""
Place = Callable[[int], str]


@dataclass(frozen=True)
class Detection:
    """The tasks that fit the labels, at best one, and the reason in words.

    `asks` says that the user has to choose, even if only one task is left; `fix` how the labels
    may have to be corrected.
    """

    tasks: tuple[str, ...]
    reason: str
    asks: bool = False
    fix: str = "Correct the labels"


@dataclass(frozen=True)
class Column:
    """The labels of the training rows.

    Attributes
    ----------
    rows
        Text of each row.
    counts
        Each distinct text → its number of rows, in the order of the rows.
    place
        Place of a row, for messages.
    """

    rows: tuple[str, ...]
    counts: Mapping[str, int]
    place: Place

    def where(self, text: str) -> str:
        """Return the place of the first row with a text."""
        return self.place(self.rows.index(text))

    def has_few(self, texts: Iterable[str]) -> bool:
        """Return whether so few rows have one of these texts that they may be mistakes."""
        rows = sum(self.counts[text] for text in texts)
        return rows <= max(1, ODD_SHARE * len(self.rows)) and 2 * rows < len(self.rows)


def row_number(row: int) -> str:
    """Return the place of a row that has no file."""
    return f"row {row + 1}"
