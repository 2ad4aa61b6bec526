"""The kind of labels, told by their texts."""

import pytest

from peftide.sequences.label_kinds import MOST_CLASSES, are_per_residue, is_number, label_kind


@pytest.mark.parametrize(
    ("labels", "lengths", "kind"),
    [
        (["1", "0", "True", " no "], None, "yes_no"),
        (["1", "0"], [1, 1], "yes_no"),
        (["HHE", "HE"], [3, 2], "residues"),
        ([" H ", "HE"], [3, 2], "residues"),
        (["HHE", "HE"], None, "classes"),
        (["H", "E"], [1, 1], "classes"),
        ([str(k) for k in range(MOST_CLASSES)], None, "classes"),
        ([str(k / 7) for k in range(MOST_CLASSES + 1)], None, "values"),
        ([f"c{k}" for k in range(MOST_CLASSES + 1)], None, "classes"),
        (["0.5 1", "[2, nan, 3]"], [2, 3], "residue_values"),
        (["0 1", "1 1 0"], [2, 3], "residues"),
        (["1,0,1", "0,0,1"], [5, 5], "classes"),
        ([f"{k:020}" for k in range(MOST_CLASSES + 1)], None, "classes"),
    ],
)
def test_kinds(labels: list[str], lengths: list[int] | None, kind: str) -> None:
    assert label_kind(labels, lengths) == kind


def test_few_mistakes_do_not_change_labels_of_residues() -> None:
    assert are_per_residue(["HHE", "HE", "H"], [3, 2, 2])
    assert not are_per_residue(["HHE", "H"], [3, 2])


@pytest.mark.parametrize(
    "text", ["nan", "inf", "1_000", "1,5", "", "0x10", "1e999", "0" * 16, "9" * 5000]
)
def test_texts_that_are_no_numbers(text: str) -> None:
    assert not is_number(text)
