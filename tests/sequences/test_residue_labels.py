"""Labels of residues, and the sources of a wrong length."""

import numpy as np
import pytest

from peftide.sequences.records import Finding
from peftide.sequences.residue_labels import (
    difference,
    length_misfit,
    per_residue,
    removed_stops,
)
from tests.conftest import random_sequences

LENGTHS = [len(sequence) for sequence in random_sequences(12, lengths=(15, 40))]


def digits(extra: int, signs: str = "012") -> list[str]:
    generator = np.random.default_rng(0)
    return ["".join(generator.choice(list(signs), n + extra)) for n in LENGTHS]


@pytest.mark.parametrize(
    ("text", "length", "entries"),
    [
        ("HHE", 3, "HHE"),
        (" H ", 3, " H "),
        ("0.5,1,2", 3, ("0.5", "1", "2")),
        ("0.5;;2", 3, ("0.5", "", "2")),
        ("0.5,1,", 3, ("0.5", "1", "")),
        ("0.5,1,", 2, ("0.5", "1")),
        ("['H' 'E']", 2, ("H", "E")),
        ("[0 0 ... 0]", 3, "[0 0 ... 0]"),
        ("1 0 1", 5, ("1", "0", "1")),
        ("H E  C", 3, ("H", "E", "C")),
        ("H E C", 5, "H E C"),  # in DSSP, a blank is a class
        ("H, E, C", 3, ("H", "E", "C")),
        ("H;E;C", 4, ("H", "E", "C")),
        ("helix sheet", 2, ("helix", "sheet")),
        ("DNA binding", 3, "DNA binding"),
    ],
)
def test_a_label_has_entries(text: str, length: int, entries: object) -> None:
    assert per_residue(text, length) == entries


@pytest.mark.parametrize(
    ("labels", "stops", "words"),
    [
        (digits(1), 12, "12 of 12 labels are 1 longer than their sequences, which lost the '*'"),
        (
            digits(1),
            0,
            "1 longer than their sequences, perhaps by a sign for a start token or a stop",
        ),
        (
            digits(2),
            0,
            "2 longer than their sequences, perhaps by signs for a start and an end token",
        ),
        (digits(-1), 0, "1 shorter than their sequences, perhaps without the first or the last"),
        (digits(-1, "ABCDEFGHIKLM"), 0, "1 shorter"),
        (digits(3), 0, "3 longer"),
    ],
)
def test_the_difference_and_its_source_are_named(labels: list[str], stops: int, words: str) -> None:
    misfit = length_misfit(labels, LENGTHS, stops=stops)
    assert misfit is not None
    assert misfit.row == 0
    assert words in misfit.reason


def test_a_sign_for_each_gap_is_named() -> None:
    labels = [label[:5] + "-" * (k % 3) + label[5:] for k, label in enumerate(digits(0, "HEC"))]
    misfit = length_misfit(labels, LENGTHS, stops=0)
    assert misfit is not None
    assert (misfit.row, "a sign for each gap" in misfit.reason) == (1, True)


def test_lists_of_numbers_may_be_too_short() -> None:
    labels = [" ".join(["0.5"] * (n - 1)) for n in LENGTHS]
    misfit = length_misfit(labels, LENGTHS, stops=0)
    assert misfit is not None
    assert "1 shorter" in misfit.reason


def test_different_differences_have_a_range() -> None:
    lengths = np.array(LENGTHS)
    labels = ["H" * (n + k % 4 - 1) for k, n in enumerate(LENGTHS)]
    assert "by -1 to +2 entries" in difference(labels, lengths, stops=0)


@pytest.mark.parametrize(
    ("labels", "lengths"),
    [
        (["nucleus", "cytosol", "membrane"] * 4, [8, 7, 9] * 4),
        (["nonbinder", "binder"] * 6, [9] * 12),
        (["1,0,1", "0,0,1"] * 6, [3, 4, 2] * 4),
        (["0.5", "0.25", "1.125"] * 4, LENGTHS),
        (["1", "0"] * 6, [2] * 12),
    ],
)
def test_other_labels_are_no_misfits(labels: list[str], lengths: list[int]) -> None:
    assert length_misfit(labels, lengths, stops=0) is None


def test_removed_stops_are_counted() -> None:
    found = (Finding("sequences", "trailing_stops", 3, ""), Finding("train", "other", 9, ""))
    assert removed_stops(found) == 3
