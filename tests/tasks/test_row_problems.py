from pathlib import Path
from typing import Any

import pytest

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.sequences.training_tables import read_training_tables
from peftide.tasks.row_problems import is_complete, naming_all
from tests.conftest import random_sequences, write_proteins, write_rows


def tables_of(folder: Path, labels: list[str], **options: Any) -> TrainConfig:
    names = [f"p{k}" for k in range(len(labels))]
    fasta = write_proteins(folder / "s.fasta", random_sequences(len(labels)))
    table = write_rows(folder / "t.tsv", "id label", list(zip(names, labels, strict=True)))
    return TrainConfig(train=table, sequences=fasta, out=folder / "run", **options)


def test_an_error_gets_company_from_other_rows(tmp_path: Path) -> None:
    config = tables_of(tmp_path, ["1", "0", "maybe", "1", "perhaps"], task="binary")
    tables = read_training_tables(config, "sequence")
    with pytest.raises(InputError) as caught, naming_all(config, tables):
        raise InputError("the id is empty", where="t.tsv:9")
    said = str(caught.value)
    assert "3 problems in the input" in said
    assert "t.tsv:4: label 'maybe'" in said
    assert "t.tsv:6: label 'perhaps'" in said


def test_problems_of_the_whole_table_are_not_added(tmp_path: Path) -> None:
    config = tables_of(tmp_path, ["1", "1", "1"], task="binary")
    tables = read_training_tables(config, "sequence")
    with (
        pytest.raises(InputError, match=r"^t\.tsv:9: the id is empty$"),
        naming_all(config, tables),
    ):
        raise InputError("the id is empty", where="t.tsv:9")


def test_labels_of_residues_are_compared_with_their_sequences(tmp_path: Path) -> None:
    labels = ["H" * len(text) for text in random_sequences(4)]
    config = tables_of(tmp_path, [*labels[:3], labels[3][1:]], task="residue")
    tables = read_training_tables(config, "residue")
    with pytest.raises(InputError, match=r"t\.tsv:5: "), naming_all(config, tables):
        raise InputError("the id is empty", where="t.tsv:9")


def test_nothing_is_raised_without_an_error(tmp_path: Path) -> None:
    config = tables_of(tmp_path, ["maybe", "1"], task="binary")
    with naming_all(config, read_training_tables(config, "sequence")):
        pass


def test_a_row_with_an_empty_cell_is_incomplete(tmp_path: Path) -> None:
    config = tables_of(tmp_path, ["1", "0"], task="binary")
    table = read_training_tables(config, "sequence").parts["train"]
    assert table.labels is not None
    table.labels[1] = " "
    assert is_complete(table).tolist() == [True, False]
