"""A folder of shards whose vectors are made of the letters of a sequence, without a model."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from peftide.sequences import Finding, Proteins
from peftide.shards.folder import (
    FORMAT_VERSION,
    UNFINISHED,
    FolderRecord,
    ModelCard,
    ShardFolder,
    write_record,
)
from peftide.shards.parquet import ShardForm
from peftide.shards.sorting import sort_sequences
from peftide.types import FloatArray
from tests.conftest import write_proteins

CARD = ModelCard("f1", {"backbone": "letters", "max_length": 5})


class Letters:
    """Counts the letters A, C and D of a sequence."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def vectors(
        self, sequences: Sequence[str], ids: Sequence[str]
    ) -> Iterator[tuple[int, FloatArray]]:
        assert len(sequences) == len(ids)
        for place, sequence in enumerate(sequences):
            self.seen.append(sequence)
            yield place, np.array([[sequence.count(letter) for letter in "ACD"]], np.float16)

    def findings(self, proteins: Proteins) -> tuple[Finding, ...]:
        long = [n for n, s in zip(proteins.ids, proteins.sequences, strict=True) if len(s) > 5]
        found = Finding("sequences", "over_long_sequences", len(long), "cropped", tuple(long[:3]))
        return (found,) if long else ()


Begin = Callable[..., ShardFolder]


@pytest.fixture
def begin(tmp_path: Path) -> Begin:
    def new(sequences: list[str], *, size: int, card: ModelCard = CARD) -> ShardFolder:
        fasta = write_proteins(tmp_path / "p.fasta", sequences)
        found = sort_sequences(fasta, tmp_path / "texts", size=size, most=None)
        record = FolderRecord(
            *(FORMAT_VERSION, "embed", UNFINISHED, card, ShardForm(3, "float16", False)),
            *(found.source, size, found.shards, found.records, None, found.findings),
        )
        folder = ShardFolder(tmp_path / "out", record)
        write_record(folder)
        return folder

    return new


def of_another_model(folder: ShardFolder) -> ShardFolder:
    other = ModelCard("f2", {"backbone": "letters", "max_length": 9})
    return ShardFolder(folder.path, replace(folder.record, model=other))
