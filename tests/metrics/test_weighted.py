"""Reference: scikit-learn with `sample_weight`, or the plain scores of repeated rows."""

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from peftide.metrics import (
    binary_metrics,
    categorical_metrics,
    continuous_metrics,
    multilabel_metrics,
    repeated,
)
from peftide.metrics.weighted import (
    weighted_binary,
    weighted_categorical,
    weighted_continuous,
    weighted_multilabel,
)

GENERATOR = np.random.default_rng(0)
ROWS = 200
WEIGHTS = GENERATOR.integers(0, 4, (5, ROWS)).astype(float)
LABELS = GENERATOR.integers(0, 2, (ROWS, 1))
CLASSES = ("C1", "C2", "C3", "rare")


def one_hot() -> np.ndarray:
    membership = np.eye(4)[GENERATOR.choice(4, ROWS, p=[0.5, 0.3, 0.19, 0.01])]
    membership[:20, 1] = 1  # of two classes
    return membership


def test_fractional_weights_rank_like_those_of_sklearn() -> None:
    scores, weights = GENERATOR.random(ROWS).round(1), GENERATOR.random((1, ROWS))
    found = weighted_binary(LABELS, scores, (), threshold=0.5)(weights)
    reference = average_precision_score(LABELS[:, 0], scores, sample_weight=weights[0])
    assert found["average_precision",][0] == pytest.approx(reference, abs=1e-12)


def case(kind: str) -> tuple[np.ndarray, np.ndarray, Any]:
    """Return labels, answers, and the plain scores of some rows."""
    probabilities = GENERATOR.random(ROWS).round(2)
    membership, of_classes = one_hot(), GENERATOR.dirichlet(np.ones(4), ROWS).round(2)
    values = GENERATOR.normal(size=ROWS).round(1)
    guesses = values + GENERATOR.normal(size=ROWS).round(1)
    return {
        "binary": (
            LABELS,
            probabilities,
            lambda rows: binary_metrics(LABELS[rows, 0], probabilities[rows], threshold=0.5),
        ),
        "categorical": (
            membership,
            of_classes,
            lambda rows: categorical_metrics(membership[rows], of_classes[rows], CLASSES),
        ),
        "multilabel": (
            membership,
            of_classes,
            lambda rows: multilabel_metrics(
                membership[rows], of_classes[rows], CLASSES, threshold=0.3
            ),
        ),
        "continuous": (
            values[:, None],
            guesses,
            lambda rows: continuous_metrics(values[rows], guesses[rows]),
        ),
    }[kind]


@pytest.mark.parametrize(
    ("weighted", "kind", "threshold"),
    [
        (weighted_binary, "binary", 0.5),
        (weighted_categorical, "categorical", 0.5),
        (weighted_multilabel, "multilabel", 0.3),
        (weighted_continuous, "continuous", 0.5),
    ],
)
def test_a_weight_is_a_number_of_repetitions(weighted: Any, kind: str, threshold: float) -> None:
    values, answers, plain = case(kind)
    found = weighted(values, answers, CLASSES, threshold=threshold)(WEIGHTS)
    reference = repeated(plain)(WEIGHTS)
    assert len(found) >= 5
    for name, scores in found.items():
        np.testing.assert_allclose(scores, reference[name], atol=1e-9, err_msg=str(name))
    unlike_mean_of_rows = {"ece", "macro_classes", "n"}
    assert {name[-1] for name in reference.keys() - found.keys()} <= unlike_mean_of_rows


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("answer", [0.2, 0.8])
def test_what_is_undefined_for_one_class_is_undefined_here(label: int, answer: float) -> None:
    labels, answers = np.full((4, 1), label), np.full(4, answer)
    found = weighted_binary(labels, answers, (), threshold=0.5)(np.ones((1, 4)))
    plain = binary_metrics(labels[:, 0], answers, threshold=0.5)
    for (name,), scores in found.items():
        assert scores[0] == pytest.approx(plain[name], nan_ok=True), name


def test_constant_numbers_have_no_correlation() -> None:
    values = np.array([[0.1], [0.2], [0.3]])
    found = weighted_continuous(values, np.full(3, 0.1), (), threshold=0.5)(np.ones((1, 3)))
    assert np.isnan(found["pearson",][0])
    assert np.isnan(found["spearman",][0])


def test_scores_that_are_no_probabilities_have_no_brier_score() -> None:
    found = weighted_binary(LABELS[:3], np.array([-3.0, 0.0, 9.0]), (), threshold=0.5)
    assert ("brier",) not in found(np.ones((1, 3)))
