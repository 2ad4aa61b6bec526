"""Which rows say the same, and which of them count; all numbers by hand."""

from pathlib import Path

import numpy as np
import pytest

from peftide.errors import InputError
from peftide.sequences.records import Examples, Proteins
from peftide.sequences.repeats import distinct_examples, distinct_sequences, judge_rows

NUMBERS = distinct_sequences(Proteins(("a", "b", "c", "a2"), ("MA", "MB", "MC", "MA")))


def make_examples(
    members: list[list[int]],
    labels: tuple[str, ...] | None,
    masks: tuple[str, ...] | None = None,
):
    lines = np.arange(2, 2 + len(members))
    counted = np.ones(len(members), dtype=bool)
    return Examples(Path("a.tsv"), lines, np.array(members), counted, labels=labels, masks=masks)


def judge(
    members: list[list[int]],
    labels: tuple[str, ...] | None,
    self_pairs: str = "exclude",
    strict: bool = False,
):
    return judge_rows(
        "train", make_examples(members, labels), NUMBERS, self_pairs=self_pairs, strict=strict
    )


def test_two_ids_with_one_sequence_have_one_number():
    assert NUMBERS.tolist() == [0, 1, 2, 0]


def test_distinct_pairs_are_unordered_and_by_sequence():
    pairs = np.array([[0, 1], [1, 0], [1, 3], [1, 2], [2, 2], [0, 3]])
    assert distinct_examples(pairs, NUMBERS).tolist() == [0, 0, 0, 1, 2, 3]
    assert distinct_examples(np.array([[2], [0], [3]]), NUMBERS).tolist() == [0, 1, 1]


def test_repeats_count_once_and_swapped_ones_are_told_apart():
    counted, findings = judge([[0, 1], [0, 1], [1, 0], [1, 3], [1, 2]], ("1", "1", "1", "1", "1"))
    assert counted.tolist() == [True, False, False, False, True]
    assert [(finding.kind, finding.count) for finding in findings] == [
        ("repeated_examples", 3),
        ("swapped_repeats", 2),
    ]
    assert findings[0].examples[0] == "a.tsv:3 repeats line 2"
    assert findings[1].examples[0] == "a.tsv:4 swaps line 2"


def test_contradictions_stay_counted():
    counted, findings = judge([[0, 1], [1, 0], [1, 2], [0, 1]], ("1", "0", "1", "0"))
    assert counted.tolist() == [True, True, True, False]
    found = {finding.kind: finding for finding in findings}
    assert found["contradictory_labels"].count == 1
    assert found["contradictory_labels"].examples == ("a.tsv lines 2, 3",)
    assert found["repeated_examples"].count == 1


def test_contradictions_are_an_error_under_strict():
    with pytest.raises(
        InputError,
        match=r"train: contradictory labels in 1 of the pairs .*a\.tsv lines 2, 3.*--strict",
    ):
        judge([[0, 1], [1, 0]], ("1", "0"), strict=True)


def test_labels_are_compared_as_text():
    assert judge([[0], [0]], ("1", "1.0"))[1][0].kind == "contradictory_labels"


@pytest.mark.parametrize(
    ("labels", "masks", "counted", "kinds"),
    [
        (("HE", "HE"), ("10", "01"), [True, True], []),
        (("HE", "HH"), ("10", "10"), [True, False], ["repeated_examples"]),
        (("HE", "HH"), ("10", "11"), [True, True], []),
        (("HE", "EH"), ("11", "01"), [True, True], ["contradictory_labels"]),
        (("HE", "EH"), ("10", "01"), [True, True], []),
        (("HE", "HE"), ("11", "11"), [True, False], ["repeated_examples"]),
        (("HEE", "HE"), ("11", "11"), [True, True], ["contradictory_labels"]),
    ],
)
def test_labels_are_compared_with_their_masks(
    labels: tuple[str, ...], masks: tuple[str, ...], counted: list[bool], kinds: list[str]
):
    """Complementary masks: both rows count. Differences behind the mask: a repeat."""
    examples = make_examples([[0], [3]], labels, masks)
    found, findings = judge_rows("train", examples, NUMBERS, self_pairs="keep", strict=False)
    assert found.tolist() == counted
    assert [finding.kind for finding in findings] == kinds


def test_three_rows_contradict_if_any_two_do():
    examples = make_examples([[0]] * 3, ("HEE", "HHE", "HHH"), ("100", "011", "001"))
    _, (finding,) = judge_rows("train", examples, NUMBERS, self_pairs="keep", strict=False)
    assert (finding.kind, finding.examples) == ("contradictory_labels", ("a.tsv lines 2, 3, 4",))


@pytest.mark.parametrize(("self_pairs", "expected"), [("exclude", False), ("keep", True)])
def test_self_pairs_by_id_or_by_sequence(self_pairs: str, expected: bool):
    counted, findings = judge([[1, 1], [0, 3], [0, 1]], ("1", "1", "0"), self_pairs=self_pairs)
    assert counted.tolist() == [expected, expected, True]
    assert [(finding.kind, finding.count) for finding in findings] == [("self_pairs", 2)]


def test_single_sequences():
    counted, findings = judge([[0], [3], [1], [0]], ("C1", "C1", "C2", "C2"))
    assert counted.tolist() == [True, False, True, True]
    assert [(finding.kind, finding.count) for finding in findings] == [
        ("repeated_examples", 1),
        ("contradictory_labels", 1),
    ]


@pytest.mark.parametrize("labels", [None, ("1", "")])
def test_nothing_is_judged_without_labels(labels: tuple[str, ...] | None):
    counted, findings = judge([[0, 0], [0, 0]], labels, strict=True)
    assert counted.tolist() == [True, True]
    assert findings == ()


@pytest.mark.parametrize(
    ("labels", "masks", "repeated"),
    [
        (("{'a', 'b'}", "{'b', 'a'}"), None, True),
        (("['a', 'b']", '["a","b"]'), None, True),
        (("['a', 'b']", "['b', 'a']"), None, False),
        (("0.5,nan", "0.5,NA"), None, True),
        (("0.5,nan", "0.5,7"), ("11", "10"), True),
        (("0.5 1", "[0.5, 1]"), ("11", "11"), True),
        (("0.5 1", "0.5 2"), ("11", "11"), False),
    ],
)
def test_lists_are_compared_by_their_entries(
    labels: tuple[str, ...], masks: tuple[str, ...] | None, repeated: bool
):
    examples = make_examples([[0], [3]], labels, masks)
    counted, (finding,) = judge_rows("a", examples, NUMBERS, self_pairs="keep", strict=False)
    assert counted.tolist() == [True, not repeated]
    assert finding.kind == ("repeated_examples" if repeated else "contradictory_labels")


def test_masks_hide_residues_of_labels_with_blanks_between_them() -> None:
    examples = make_examples([[0], [0]], ("H E C", "H H C"), masks=("101", "101"))
    counted, findings = judge_rows("train", examples, NUMBERS, self_pairs="keep", strict=True)
    assert counted.tolist() == [True, False]
    assert [finding.kind for finding in findings] == ["repeated_examples"]
