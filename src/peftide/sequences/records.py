"""Proteins, and the rows of a table that name them."""

from dataclasses import dataclass
from pathlib import Path

from peftide.quantities import count_of_kind
from peftide.types import BoolArray, IntArray

FRAME, LIST, MAPPING = Path("DataFrame"), Path("list"), Path("sequences")
"""Name of an input that is not a file."""


def place(path: Path, line: int) -> str:
    """Return `file:line`, or the row of an input that is not a file.

    Examples
    --------
    >>> place(Path("a.tsv"), 3), place(FRAME, 3)
    ('a.tsv:3', 'DataFrame: row 3')
    """
    return f"{path}: row {line}" if path in (FRAME, LIST, MAPPING) else f"{path}:{line}"


@dataclass(frozen=True)
class Finding:
    """An observation counted while reading, with the decision about it.

    `part` is the part of the data ("train", "test", …, or "sequences"). `kind` is a stable
    snake_case name for scripts. `examples` lists at most three places.
    """

    part: str
    kind: str
    count: int
    decision: str
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        """One line for the log."""
        shown = f" (for instance {', '.join(self.examples)})" if self.examples else ""
        return f"{self.part}: {count_of_kind(self.count, self.kind)}: {self.decision}{shown}"


@dataclass(frozen=True)
class WildType:
    """The protein whose variants a table names.

    Attributes
    ----------
    sequence
        Its residues.
    offset
        Number that is subtracted from positions as written, to count from residue 1.
    """

    sequence: str
    offset: int = 0


@dataclass(frozen=True)
class Proteins:
    """Distinct proteins by id; two ids may share one sequence."""

    ids: tuple[str, ...]
    sequences: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of proteins."""
        return len(self.ids)


@dataclass(frozen=True)
class Examples:
    """The rows of one part of a data set, in input order.

    Attributes
    ----------
    path
        File the rows were read from.
    lines
        Line of each row in that file, from 1 (the header is line 1); for a DataFrame or list, the
        row number, from 1. Shape (B,).
    members
        Index of each row's proteins into the data set's `Proteins`. Shape (B, A); A is 2 for
        pairs, else 1.
    counted
        False for rows that are predicted but not used in training or metrics (repeats of an
        earlier row, self-pairs). Shape (B,).
    labels
        Label text of each row, or None for a table without labels.
    masks
        Per-residue 0/1 text of each row, or None.
    clusters
        Cluster of each row's sequence, or None.
    """

    path: Path
    lines: IntArray
    members: IntArray
    counted: BoolArray
    labels: tuple[str, ...] | None = None
    masks: tuple[str, ...] | None = None
    clusters: tuple[str, ...] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.lines)

    def where(self, row: int) -> str:
        """Return the place of a row, for messages."""
        return place(self.path, int(self.lines[row]))


@dataclass(frozen=True)
class Dataset:
    """All proteins of a run, its parts by name, and the findings counted while reading.

    `variants_of` is the wild type if the tables name its mutants.
    """

    proteins: Proteins
    parts: dict[str, Examples]
    findings: tuple[Finding, ...]
    variants_of: WildType | None = None

    @property
    def wild_type(self) -> str | None:
        """The sequence of the wild type, if the tables name its mutants."""
        return None if self.variants_of is None else self.variants_of.sequence
