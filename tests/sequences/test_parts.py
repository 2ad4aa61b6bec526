"""What a split column may say."""

from pathlib import Path

import numpy as np
import pytest

from peftide.errors import InputError
from peftide.sequences.parts import part_name, split_by_column
from peftide.sequences.tables import Table


def make_table(*splits: str):
    lines = np.arange(2, 2 + len(splits))
    return Table(Path("a.tsv"), ("id", "fold"), lines, splits=np.array(splits, dtype=object))


@pytest.mark.parametrize("value", ["valid", "val", "dev", "VALID", "Dev", "validation"])
def test_names_of_validation(value: str):
    assert part_name(value) == "validation"


@pytest.mark.parametrize("value", ["", "NA", "nan", "holdout", "training", "test/../x", "vali"])
def test_names_of_no_part(value: str):
    assert part_name(value) is None


def test_rows_by_part_in_fixed_order():
    parts = split_by_column(
        make_table("test_fold", "Test", "val", "train", "TRAIN", "dev"), column="split"
    )
    assert {part: table.lines.tolist() for part, table in parts.items()} == {
        "train": [5, 6],
        "validation": [4, 7],
        "test": [3],
        "test_fold": [2],
    }
    assert list(parts) == ["train", "validation", "test", "test_fold"]


def test_other_values_are_named_once_with_their_first_line():
    with pytest.raises(InputError) as caught:
        split_by_column(make_table("train", "trian", "trian", ""), column="split")
    message = str(caught.value)
    assert "a.tsv:3: column split says 'trian'. Did you mean train?" in message
    assert "a.tsv:5: column split is empty; expected train, validation, test" in message
    assert "a.tsv:4" not in message


def test_no_such_column():
    table = Table(Path("a.tsv"), ("id", "spilt"), np.array([2]))
    with pytest.raises(InputError, match=r"a\.tsv: no column split.*Did you mean spilt\?"):
        split_by_column(table, column="split")


def test_a_missing_value_is_said_to_be_one():
    with pytest.raises(
        InputError, match=r"a\.tsv:3: column split says 'NA', which looks like a mi"
    ):
        split_by_column(make_table("train", "NA"), column="split")
