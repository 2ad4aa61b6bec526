"""What a split column may say."""

from pathlib import Path

import numpy as np
import pytest

from peftide.config.options import RowOptions
from peftide.errors import InputError
from peftide.sequences.parts import part_name, split_by_column
from peftide.sequences.records import FRAME
from peftide.sequences.tables import Table


def make_table(*splits: str):
    lines = np.arange(2, 2 + len(splits))
    return Table(Path("a.tsv"), ("id", "fold"), lines, splits=np.array(splits, dtype=object))


@pytest.mark.parametrize("value", ["valid", "val", "dev", "VALID", "Dev", "validation"])
def test_names_of_validation(value: str):
    assert part_name(value) == "validation"


@pytest.mark.parametrize(
    "value",
    [
        *("", "NA", "nan", "holdout", "training", "test/../x", "vali", "vaild", "trian"),
        *("testt", "tests", "testing", "test_", "test set"),
    ],
)
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
    with pytest.raises(
        InputError, match=r"a\.tsv: no column split.*Did you mean spilt\?"
    ) as caught:
        split_by_column(table, column="split")
    command = "peftide split --input a.tsv --sequences proteins.fasta --out parts"
    assert f"make one: `{command}`" in str(caught.value)
    options = RowOptions(sequences=Path("all.fa"), id_a_column="P1", label_column="y")
    with pytest.raises(InputError) as caught:
        split_by_column(table, column="split", options=options)
    words = "--sequences all.fa --id-a-column P1 --label-column y --out parts"
    assert f"make one: `peftide split --input a.tsv {words}`" in str(caught.value)
    own = np.array([["MKV"]], dtype=object)
    table = Table(Path("my a.tsv"), ("sequence",), np.array([2]), sequences=own)
    with pytest.raises(InputError, match=r"`peftide split --input 'my a\.tsv' --out parts`"):
        split_by_column(table, column="split")


def test_a_missing_value_is_said_to_be_one():
    with pytest.raises(
        InputError, match=r"a\.tsv:3: column split says 'NA', which looks like a mi"
    ):
        split_by_column(make_table("train", "NA"), column="split")


@pytest.mark.parametrize("value", ["test_hard", "test-2", "TEST.fold_1", "test2"])
def test_further_test_parts_have_a_name_after_a_sign(value: str):
    assert part_name(value) == value.lower()


def test_a_typo_of_a_test_part_is_named():
    with pytest.raises(
        InputError, match=r"a\.tsv:3: column split says 'testt'\. Did you mean test\?"
    ):
        split_by_column(make_table("train", "testt"), column="split")


def test_a_data_frame_is_no_file_to_split():
    table = Table(FRAME, ("id", "label"), np.array([1]))
    with pytest.raises(InputError, match=r"write it to a file.*--input table\.tsv"):
        split_by_column(table, column="split")
