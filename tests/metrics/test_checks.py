import numpy as np
import pytest

from peftide.errors import InputError
from peftide.metrics.checks import finite_array, require_same_shape, zero_one_array


def test_float32_scores_become_float64_and_keep_their_values():
    scores = finite_array(np.array([0.1, 0.7], dtype=np.float32), "scores", axes="B")
    assert scores.dtype == np.float64
    assert scores.tolist() == [float(np.float32(0.1)), float(np.float32(0.7))]


def test_booleans_become_zero_and_one():
    assert zero_one_array(np.array([True, False]), "labels", axes="B").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"no scores \(shape \(0,\)\)"),
        ([0.1, float("nan"), float("inf")], r"row 1 .*2 of 3 scores are NaN or infinite"),
        ([[0.1]], r"scores of shape \(1, 1\); expected 1 axes \(B\)"),
        (["high"], "not all numbers"),
    ],
)
def test_a_bad_array_is_refused_with_what_was_received(values: list, message: str):
    with pytest.raises(InputError, match=message):
        finite_array(values, "scores", axes="B")


def test_labels_other_than_zero_and_one_are_refused():
    with pytest.raises(InputError, match="labels with the value 2; expected 0 or 1"):
        zero_one_array([0, 2], "labels", axes="B")


def test_different_shapes_are_refused_with_both_shapes():
    with pytest.raises(InputError, match=r"labels of shape \(2,\) beside scores of shape \(3,\)"):
        require_same_shape(np.zeros(2), np.zeros(3), ("labels", "scores"))
