import numpy as np
import pytest

from peftide.baselines.checks import as_answers, check_as_fitted, check_members, checked_targets
from peftide.errors import InputError
from peftide.outcomes import OUTCOMES


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (np.zeros((2, 3), dtype=np.int64), r"\(B, 1\) or \(B, 2\)"),
        (np.zeros((0, 2), dtype=np.int64), "at least one row"),
        (np.array([[0], [2]]), "members from 0 to 2"),
        (np.array([[0], [-1]]), "members from -1 to 0"),
    ],
)
def test_members_must_name_one_or_two_of_the_proteins(members: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_members(members, 2)


@pytest.mark.parametrize(
    ("targets", "kind", "message"),
    [
        (np.array([0]), "binary", r"targets of shape \(1,\) for 2"),
        (np.array([0, 2]), "binary", "other than 0 and 1"),
        (np.array([0, 1]), "categorical", r"expected \(B, K\)"),
        (np.array([[0, 1], [0, 0]]), "categorical", "without any class"),
        (np.array([0.0, np.nan]), "continuous", "NaN or infinite"),
    ],
)
def test_targets_must_fit_rows_and_kind(targets: np.ndarray, kind: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        checked_targets(targets, 2, OUTCOMES[kind])


def test_of_several_classes_a_row_may_have_none() -> None:
    assert checked_targets(np.array([[0, 1], [0, 0]]), 2, OUTCOMES["multilabel"]).sum() == 1


def test_rows_must_name_as_many_proteins_as_in_train() -> None:
    check_as_fitted(np.zeros((1, 2), dtype=np.int64), 2)
    with pytest.raises(InputError, match="1 protein.s. per example; expected 2"):
        check_as_fitted(np.zeros((1, 1), dtype=np.int64), 2)


def test_outcomes_without_classes_have_one_answer_per_row() -> None:
    columns = np.array([[0.25], [0.75]])
    assert as_answers(columns, OUTCOMES["binary"]).tolist() == [0.25, 0.75]
    assert as_answers(columns, OUTCOMES["categorical"]).tolist() == [[0.25], [0.75]]
