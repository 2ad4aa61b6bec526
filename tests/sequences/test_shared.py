"""Proteins that train and a later part have in common."""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from peftide.config.options import TableOptions
from peftide.errors import InputError
from peftide.sequences.dataset import read_dataset
from peftide.sequences.parts import split_by_column
from peftide.sequences.records import Dataset, Examples, Proteins
from peftide.sequences.shared import check_shared_proteins
from peftide.sequences.tables import read_table

DATA = Path(os.environ.get("PEFTIDE_DATA", ""))
needs_data = pytest.mark.skipif("PEFTIDE_DATA" not in os.environ, reason="PEFTIDE_DATA is not set")

# a2 has the sequence of a
PROTEINS = Proteins(("a", "b", "c", "d", "a2"), ("MA", "MB", "MC", "MD", "MA"))
A, B, C, D, A2 = range(5)


def make_dataset(**parts: list[list[int]]):
    return Dataset(PROTEINS, {part: make_examples(part, rows) for part, rows in parts.items()}, ())


def make_examples(part: str, rows: list[list[int]]):
    lines = np.arange(2, 2 + len(rows))
    return Examples(Path(f"{part}.tsv"), lines, np.array(rows), np.ones(len(rows), dtype=bool))


def kinds(dataset: Dataset):
    return {(finding.part, finding.kind): finding.count for finding in dataset.findings}


@pytest.mark.parametrize("policy", ["error", "allow", "drop"])
def test_nothing_shared(policy: Literal["error", "allow", "drop"]):
    data = make_dataset(train=[[A, B]], test=[[C, D]])
    assert check_shared_proteins(data, policy) == data


def test_error_counts_and_names_the_places():
    data = make_dataset(train=[[A, B], [B, C]], validation=[[C, D]], test=[[D, A2]])
    with pytest.raises(InputError) as caught:
        check_shared_proteins(data, "error")
    message = str(caught.value)
    assert (
        "validation: 1 of 2 proteins is also in train, for instance "
        "c (validation.tsv:2 and train.tsv:3)" in message
    )
    assert (
        "test: 1 of 2 proteins is also in train, for instance a2 (test.tsv:2 and train.tsv:2)"
        in message
    )
    assert "--shared-proteins drop" in message
    assert "--shared-proteins allow" in message


def test_allow_counts():
    data = make_dataset(train=[[A, B], [B, C]], test=[[C, A2]])
    checked = check_shared_proteins(data, "allow")
    assert kinds(checked) == {("test", "shared_proteins"): 2}
    assert checked.parts == data.parts


def test_drop_removes_the_rows_of_train_and_proteins_without_row():
    data = make_dataset(train=[[A, B], [B, C], [B, B]], test=[[A2, D]])
    checked = check_shared_proteins(data, "drop")
    assert checked.parts["train"].lines.tolist() == [3, 4]
    assert checked.proteins.ids == ("b", "c", "d", "a2")
    assert kinds(checked) == {
        ("test", "shared_proteins"): 1,
        ("train", "dropped_for_shared_proteins"): 1,
    }


def test_drop_must_leave_something():
    data = make_dataset(train=[[A, B]], test=[[B, C]])
    with pytest.raises(InputError, match=r"train\.tsv: no row of train is left"):
        check_shared_proteins(data, "drop")


def test_validation_and_test_may_share_but_it_is_counted():
    data = make_dataset(train=[[A, A]], validation=[[B, C]], test=[[C, D]], test_2=[[D, D]])
    checked = check_shared_proteins(data, "error")
    assert kinds(checked) == {("test", "shared_with_validation"): 1}


def test_single_sequences_and_other_trained_parts():
    data = make_dataset(train=[[A]], validation=[[B]], test=[[B]])
    assert kinds(check_shared_proteins(data, "error")) == {("test", "shared_with_validation"): 1}
    with pytest.raises(InputError, match="test: 1 of 1 protein is also in train or valid"):
        check_shared_proteins(data, "error", trained=("train", "validation"))


@needs_data
@pytest.mark.parametrize(("name", "shared"), [("0_to_1", 0), ("both_to_0", 1_950)])
def test_yeast(name: str, shared: int):
    folder = DATA / "ppi_yeast"
    options = TableOptions(sequences=folder / "sequences.fasta")
    table = read_table(folder / f"du_{name}.tsv", options, level="pair", needs_labels=True)
    data = read_dataset(split_by_column(table, column="split"), options, level="pair")
    checked = check_shared_proteins(data, "allow")
    assert kinds(checked).get(("test", "shared_proteins"), 0) == shared
