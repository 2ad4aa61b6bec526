"""Texts that stand for a missing value."""

from pathlib import Path

import numpy as np
import pytest

from peftide.sequences.missing import looks_missing, missing_classes, missing_labels
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
