import math

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef

from peftide.errors import InputError
from peftide.metrics import best_threshold, binary_metrics

NAN = float("nan")
# by hand, at threshold 0.5: TP 2 (0.9, 0.6), FP 1 (0.7), FN 1 (0.2), TN 2 (0.4, 0.1)
LABELS = [1, 0, 1, 0, 1, 0]
SCORES = [0.9, 0.7, 0.6, 0.4, 0.2, 0.1]


def pairwise_auroc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Share of (positive, negative) pairs in the right order; a tie counts half."""
    gaps = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return float(((gaps > 0) + 0.5 * (gaps == 0)).mean())


def stepwise_average_precision(labels: np.ndarray, scores: np.ndarray) -> float:
    """Sum over distinct scores of (recall gained) x (precision so far)."""
    area, recall_before = 0.0, 0.0
    for cut in sorted(set(scores.tolist()), reverse=True):
        passing = labels[scores >= cut]
        recall = passing.sum() / labels.sum()
        area, recall_before = area + (recall - recall_before) * passing.mean(), recall
    return area


def test_scores_equal_a_hand_calculation():
    scores = binary_metrics(LABELS, SCORES, threshold=0.5)
    assert scores == pytest.approx(
        {
            "average_precision": (1 / 1 + 2 / 3 + 3 / 5) / 3,
            "auroc": 6 / 9,  # the positives stand above 3, 2 and 1 of the 3 negatives
            "accuracy": 4 / 6,
            "f1": 2 * 2 / (2 * 2 + 1 + 1),
            "mcc": (2 * 2 - 1 * 1) / math.sqrt(3 * 3 * 3 * 3),
            "precision": 2 / 3,
            "recall": 2 / 3,
            "specificity": 2 / 3,
            "ece": (0.1 + 0.7 + 0.4 + 0.4 + 0.8 + 0.1) / 6,  # each alone in its bin
            "brier": sum((y - p) ** 2 for y, p in zip(LABELS, SCORES, strict=True)) / 6,
            "prevalence": 1 / 2,
        }
    )
    assert all(type(value) is float for value in scores.values())


def test_ties_count_half_in_auroc_and_form_one_step_in_average_precision():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 300), rng.integers(0, 12, 300) / 12
    got = binary_metrics(labels, scores, threshold=0.5)
    assert got["auroc"] == pytest.approx(pairwise_auroc(labels, scores))
    assert got["average_precision"] == pytest.approx(stepwise_average_precision(labels, scores))


def test_the_order_of_the_examples_changes_nothing():
    rng = np.random.default_rng(1)
    labels, scores = rng.integers(0, 2, 200), rng.integers(0, 9, 200) / 9
    shuffled = rng.permutation(200)
    first = binary_metrics(labels, scores, threshold=0.3)
    assert binary_metrics(labels[shuffled], scores[shuffled], threshold=0.3) == pytest.approx(first)


def test_a_probability_equal_to_the_threshold_is_predicted_positive():
    assert binary_metrics([0, 1], [0.2, 0.5], threshold=0.5)["accuracy"] == 1.0


def test_a_float32_score_meets_a_threshold_found_on_it():
    scores = np.array([0.1, 0.3, 0.30000004, 0.9], dtype=np.float32)
    labels = np.array([0, 0, 1, 1])
    threshold = best_threshold(labels, scores)
    assert binary_metrics(labels, scores, threshold=threshold)["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("label", "probability", "expected"),
    [
        # no positives, some predicted: precision and f1 are 0 of something
        (0, 0.9, {"precision": 0.0, "recall": NAN, "f1": 0.0, "specificity": 0.0}),
        (0, 0.1, {"precision": NAN, "recall": NAN, "f1": NAN, "specificity": 1.0}),
        (1, 0.9, {"precision": 1.0, "recall": 1.0, "f1": 1.0, "specificity": NAN}),
        (1, 0.1, {"precision": 0.0, "recall": 0.0, "f1": 0.0, "specificity": NAN}),
    ],
)
def test_one_label_only_leaves_the_undefined_scores_nan(
    label: int, probability: float, expected: dict[str, float]
):
    scores = binary_metrics([label] * 3, [probability] * 3, threshold=0.5)
    ranking = dict.fromkeys(("average_precision", "auroc", "mcc"), NAN)
    wanted = {**expected, **ranking}
    assert {name: scores[name] for name in wanted} == pytest.approx(wanted, nan_ok=True)
    assert scores["prevalence"] == label


def test_constant_scores_rank_at_chance_and_decide_nothing():
    scores = binary_metrics([0, 0, 0, 1], [0.2] * 4, threshold=0.5)
    assert (scores["auroc"], scores["average_precision"]) == (0.5, 0.25)
    assert (scores["mcc"], scores["precision"], scores["recall"]) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1], [0.5], "same shape"),
        ([], [], "no labels"),
        ([0, 1], [0.5, NAN], "1 of 2 probabilities are NaN"),
        ([0, 2], [0.5, 0.5], "0 or 1"),
    ],
)
def test_wrong_input_is_refused(labels: list[int], scores: list[float], message: str):
    with pytest.raises(InputError, match=message):
        binary_metrics(labels, scores, threshold=0.5)
    with pytest.raises(InputError, match=message):
        best_threshold(labels, scores)


@pytest.mark.parametrize("seed", range(8))
def test_no_cut_has_a_higher_mcc_than_the_best_threshold(seed: int):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, 80)
    scores = np.round(rng.normal(size=80) + 0.7 * labels, 1)  # with ties
    distinct = np.unique(scores)
    tried = [matthews_corrcoef(labels, scores >= cut) for cut in distinct[1:]]
    threshold = best_threshold(labels, scores)
    assert matthews_corrcoef(labels, scores >= threshold) == pytest.approx(max(tried))
    above = np.searchsorted(distinct, threshold)
    assert threshold == pytest.approx((distinct[above - 1] + distinct[above]) / 2)


def test_best_threshold_works_on_scores_outside_zero_to_one():
    assert best_threshold([0, 0, 1], [-12.0, -10.0, -4.0]) == -7.0


def test_of_equally_good_cuts_the_highest_is_taken():
    # one of one is positive, or the one left out is negative: MCC 1/sqrt(3) both times
    assert best_threshold([1, 0, 1, 0], [4.0, 3.0, 2.0, 1.0]) == 3.5


@pytest.mark.parametrize(("labels", "scores"), [([0, 1], [0.3, 0.3]), ([1, 1], [0.1, 0.9])])
def test_without_a_cut_the_threshold_is_one_half(labels: list[int], scores: list[float]):
    assert best_threshold(labels, scores) == 0.5


def test_a_cut_between_adjacent_floats_still_separates():
    low = np.float64(0.3)
    high = np.nextafter(low, 1)
    threshold = best_threshold([0, 1], [low, high])
    assert low < threshold <= high
