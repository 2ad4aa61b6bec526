"""Reference: scikit-learn with `sample_weight`."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from peftide.metrics.ranking import weighted_micro_ranking, weighted_ranking

GENERATOR = np.random.default_rng(0)
ROWS, CLASSES = 200, 4
WEIGHTS = GENERATOR.integers(0, 4, (ROWS, 5)).astype(float)
TRUTH = GENERATOR.random((ROWS, CLASSES)) < [0.5, 0.3, 0.02, 0.0]


@pytest.mark.parametrize("decimals", [6, 1], ids=["distinct", "tied"])
def test_each_class_is_ranked_as_by_sklearn(decimals: int) -> None:
    scores = GENERATOR.normal(size=TRUTH.shape).round(decimals)
    found = weighted_ranking(TRUTH, scores)(WEIGHTS)
    for k in range(3):
        for draw, weights in enumerate(WEIGHTS.T):
            given = (TRUTH[:, k], scores[:, k])
            reference = average_precision_score(*given, sample_weight=weights)
            assert found["average_precision"][k, draw] == pytest.approx(reference, abs=1e-12)
            reference = roc_auc_score(*given, sample_weight=weights)
            assert found["auroc"][k, draw] == pytest.approx(reference, abs=1e-12)


@pytest.mark.parametrize("decimals", [6, 1], ids=["distinct", "tied"])
def test_all_decisions_are_ranked_as_by_sklearn(decimals: int) -> None:
    scores = GENERATOR.normal(size=TRUTH.shape).round(decimals)
    found = weighted_micro_ranking(TRUTH, scores)(WEIGHTS)
    for draw, weights in enumerate(WEIGHTS.T):
        each = np.repeat(weights, CLASSES)
        reference = average_precision_score(TRUTH.ravel(), scores.ravel(), sample_weight=each)
        assert found["average_precision"][0, draw] == pytest.approx(reference, abs=1e-12)
        reference = roc_auc_score(TRUTH.ravel(), scores.ravel(), sample_weight=each)
        assert found["auroc"][0, draw] == pytest.approx(reference, abs=1e-12)


def test_a_class_without_positives_or_without_negatives_has_no_rank() -> None:
    truth = np.array([[0, 1, 1], [0, 1, 0]])
    found = weighted_ranking(truth, np.ones((2, 3)))(np.ones((2, 1)))
    for scores in found.values():
        assert np.isnan(scores[:, 0]).tolist() == [True, True, False]
    assert np.isnan(weighted_ranking(truth, np.ones((2, 3)))(np.array([[1.0], [0.0]]))["auroc"][2])
    none = weighted_ranking(truth[:, :1], np.ones((2, 1)))(np.ones((2, 3)))
    assert np.isnan(none["average_precision"]).all()
