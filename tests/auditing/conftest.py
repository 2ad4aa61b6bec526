"""Small data sets as a user would write them, read as an audit reads them."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from peftide.auditing import Subject, Verdict
from peftide.config import TableOptions
from peftide.sequences import read_dataset, read_table, split_by_column
from peftide.types import Level

Rows = Sequence[Sequence[object]]
Make = Callable[..., Subject]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a subject from rows: `a b label split`, or `sequence label split cluster mask`.

    A pair names its proteins by sequence.
    """

    def from_rows(rows: Rows, *, pairs: bool = True, max_length: int | None = 1022) -> Subject:
        names = (
            "sequence_a sequence_b label split" if pairs else "sequence label split cluster mask"
        )
        header = names.split()[: len(rows[0])]
        lines = ["\t".join(header), *("\t".join(map(str, row)) for row in rows)]
        path = tmp_path / "table.tsv"
        path.write_text("\n".join(lines) + "\n")
        level: Level = "pair" if pairs else "residue"
        config = TableOptions(missing="drop")
        table = read_table(path, config, level=level, needs_labels=True)
        parts = split_by_column(table, column="split")
        return Subject(read_dataset(parts, config, level=level), pairs, max_length)

    return from_rows


def one(verdict: Verdict | None) -> Verdict:
    """Return the verdict, which must be there."""
    assert verdict is not None
    return verdict
