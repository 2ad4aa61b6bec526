"""Texts that stand for a missing value."""

from pathlib import Path

import numpy as np
import pytest

from peftide.sequences.missing import (
    looks_missing,
    looks_missing_label,
    looks_missing_sequence,
    missing_classes,
    missing_labels,
    missing_numbers,
    missing_residues,
)
from peftide.sequences.records import Examples


@pytest.mark.parametrize(
    "text",
    [*("NA", "N/A", "n/a", "NaN", "nan", "None", "NULL", "<NA>", "#N/A", "-", ".", ""), " Null "],
)
def test_missing(text: str):
    assert looks_missing(text)


@pytest.mark.parametrize("text", ["NAK", "0", "no", "negative", "N", "nan1", "A-", "+"])
def test_present(text: str):
    assert not looks_missing(text)


def where(row: int) -> str:
    return f"{Path('a.tsv')}:{row + 2}"


def test_rows_with_such_a_class_are_counted():
    names = [("nucleus",), ("NA",), ("nucleus", "null"), ()]
    (found,) = missing_classes("train", names, where=where)
    assert (found.part, found.kind, found.count) == ("train", "labels_like_missing_values", 2)
    assert found.examples == ("a.tsv:3", "a.tsv:4")
    assert "'NA', 'null'" in found.decision


def test_minus_beside_plus_is_a_class():
    assert missing_classes("train", [("+",), ("-",)], where=where) == ()
    assert missing_classes("train", [("a",), ("-",)], where=where)[0].count == 1


def test_labels_of_an_unknown_task():
    rows = np.arange(4)
    labels = ("NA", "none", "", "yes")
    examples = Examples(Path("a.tsv"), rows + 2, rows[:, None], rows > -1, labels)
    (found,) = missing_labels("train", examples)
    assert (found.count, found.examples) == (1, ("a.tsv:2",))


@pytest.mark.parametrize("text", ["n.d.", "N.D.", "nil", "ND", "n.a.", "unknown", "NA", ""])
def test_missing_as_a_label(text: str):
    assert looks_missing_label(text)


@pytest.mark.parametrize("text", ["NIL", "ND", "nd"])
def test_peptides_of_these_letters_are_sequences(text: str):
    assert not looks_missing(text)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        *(("Sequence unavailable", True), ("not  available", True), ("NaT", True), ("FALSE", True)),
        *(("NAT", False), ("nat", False), ("NOTAVAILABLE", False), ("SEQUENCE", False)),
    ],
)
def test_missing_as_a_sequence(text: str, missing: bool):
    assert looks_missing_sequence(text) is missing


@pytest.mark.parametrize("row", ["???", "---", "...", "H?E"])
def test_rows_of_residues_that_look_missing_are_counted(row: str):
    rows = [frozenset("HE"), frozenset(row), frozenset("H-E"), frozenset()]
    (found,) = missing_residues("train", rows, where=where)
    assert (found.kind, found.count) == ("labels_like_missing_values", 1)
    assert found.examples == ("a.tsv:3",)
    assert repr(sorted({*row} - {*"HE"})[0]) in found.decision


def test_plus_and_minus_per_residue_are_classes():
    assert missing_residues("train", [frozenset("+-"), frozenset("-")], where=where) == ()


@pytest.mark.parametrize("mark", [-999, -9999, -99, 9999, -999.25, 9.96921e36, -1e30])
def test_numbers_that_mark_missing_values_are_counted(mark: float):
    values = np.array([0.5, 7.25, mark, 3.0])
    (found,) = missing_numbers("train", values, np.ones(4, dtype=bool), where=where)
    assert (found.kind, found.examples) == ("labels_like_missing_values", ("a.tsv:4",))
    assert missing_numbers("train", values, np.array([True, True, False, True]), where=where) == ()


@pytest.mark.parametrize("values", [[97.0, 98, 99], [900, 999, 1000], [-1000, -999, 5], [0, -1]])
def test_such_numbers_among_others_of_their_size_are_values(values: list[float]):
    numbers = np.array(values, dtype=float)
    assert missing_numbers("train", numbers, np.ones(len(values), dtype=bool), where=where) == ()


def test_marks_are_counted_whatever_the_task():
    rows = np.arange(3)
    labels = ("0.5", "-999", "0.7")
    examples = Examples(Path("a.tsv"), rows + 2, rows[:, None], rows > -1, labels)
    assert [found.examples for found in missing_labels("train", examples)] == [("a.tsv:3",)]
