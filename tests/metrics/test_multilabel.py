import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
)

from peftide.errors import InputError
from peftide.metrics import multilabel_metrics

NAMES = ["a", "b", "c"]


def random_case() -> tuple[np.ndarray, np.ndarray]:
    """Return sets of classes, some empty, and tied probabilities. Both (B, K)."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 2, (80, 3)), np.round(rng.random((80, 3)), 2)


@pytest.mark.parametrize("threshold", [0.3, 0.5])
def test_scores_are_those_of_sklearn(threshold: float) -> None:
    truth, probabilities = random_case()
    predicted = probabilities >= threshold
    scores = multilabel_metrics(truth, probabilities, NAMES, threshold=threshold)
    expected = {
        "exact_match": accuracy_score(truth, predicted),
        "micro_f1": f1_score(truth, predicted, average="micro"),
        "macro_f1": f1_score(truth, predicted, average="macro"),
        "micro_precision": precision_score(truth, predicted, average="micro"),
        "micro_recall": recall_score(truth, predicted, average="micro"),
        "macro_average_precision": average_precision_score(truth, probabilities, average="macro"),
        "micro_average_precision": average_precision_score(truth, probabilities, average="micro"),
    }
    assert {name: scores[name] for name in expected} == pytest.approx(expected)
    assert scores["per_class"]["b"]["n"] == truth[:, 1].sum()


def test_a_class_that_no_row_carries_is_left_out_of_the_macro() -> None:
    scores = multilabel_metrics(
        [[1, 0], [0, 0]], [[0.9, 0.2], [0.1, 0.3]], ["a", "b"], threshold=0.5
    )
    assert scores["macro_classes"] == 1
    assert scores["macro_average_precision"] == 1.0
    assert scores["exact_match"] == 1.0


def test_wrong_input_is_refused() -> None:
    with pytest.raises(InputError, match="0 or 1 only"):
        multilabel_metrics([[2, 0]], [[0.5, 0.5]], ["a", "b"], threshold=0.5)
