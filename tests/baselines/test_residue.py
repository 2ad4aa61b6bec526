import numpy as np
import pytest

from peftide.baselines import fit_residue_letters
from peftide.errors import InputError


def test_shares_equal_a_hand_count_with_one_added():
    letters = fit_residue_letters(
        ["AAG", "AX"], [np.array([0, 0, 2]), np.array([1, 2])], n_classes=3
    )
    (first,) = letters.predict(["AGXW"])
    # A: 2, 1, 0 seen; G and X: class 2 once; W never
    wanted = [[3 / 6, 2 / 6, 1 / 6], [1 / 4, 1 / 4, 2 / 4], [1 / 4, 1 / 4, 2 / 4], [1 / 3] * 3]
    np.testing.assert_allclose(first, wanted)


def test_masked_residues_are_not_counted():
    letters = fit_residue_letters(["AAA"], [np.array([-1, 1, -1])], 2)
    assert letters.counts.sum() == 1


def test_each_sequence_keeps_its_length():
    letters = fit_residue_letters(["AC"], [np.array([0, 1])], 2)
    assert [array.shape for array in letters.predict(["A", "ACDEF"])] == [(1, 2), (5, 2)]


def test_all_misfits_are_named_at_once():
    with pytest.raises(InputError, match=r"(?s)2 problems.*sequence 0 .*3 residues.*-2 to 2"):
        fit_residue_letters(["AAA", "CC"], [np.array([0]), np.array([-2, 2])], 2)


@pytest.mark.parametrize(
    ("sequences", "classes", "message"),
    [
        (["A", "C"], [np.array([0])], "classes of 1 sequences for 2"),
        (["AC"], [np.array([-1, -1])], "no residue with a class"),
    ],
)
def test_nothing_to_count_is_refused(sequences: list[str], classes: list[np.ndarray], message: str):
    with pytest.raises(InputError, match=message):
        fit_residue_letters(sequences, classes, 2)
