import numpy as np
import pytest

from peftide.baselines import fit_residue_letters
from peftide.baselines.residue import load_residue_letters
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


def test_means_equal_a_hand_count_beside_one_mean_residue():
    letters = fit_residue_letters(["AAG", "AX"], [np.array([1.0, 3, 8]), np.array([np.nan, 4])], 0)
    (values,) = letters.predict(["AGXW"])
    # the mean of all is 4: A (1 + 3 + 4) / 3, G (8 + 4) / 2, X (4 + 4) / 2, W 4 / 1
    np.testing.assert_allclose(values, [8 / 3, 6, 4, 4])


@pytest.mark.parametrize(("targets", "n_classes"), [([[0, 1]], 2), ([[0.5, 2.5]], 0)])
def test_stored_letters_answer_alike(targets: list[list[float]], n_classes: int):
    fitted = fit_residue_letters(["AC"], [np.array(row) for row in targets], n_classes)
    again = load_residue_letters(fitted.arrays(), kind="any", proteins_per_example=1)
    np.testing.assert_array_equal(fitted.predict(["ACD"])[0], again.predict(["ACD"])[0])


@pytest.mark.parametrize(
    ("values", "message"),
    [([1.0], "values of 1 residues for 2 residues"), ([np.nan, np.nan], "no residue with a value")],
)
def test_values_that_do_not_fit_are_refused(values: list[float], message: str):
    with pytest.raises(InputError, match=message):
        fit_residue_letters(["AC"], [np.array(values)], 0)
