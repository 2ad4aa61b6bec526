import numpy as np
import pytest
from numpy.typing import ArrayLike
from sklearn.metrics import (
    average_precision_score,
    f1_score,
    matthews_corrcoef,
    precision_score,
    recall_score,
    roc_auc_score,
)

from peftide.errors import InputError
from peftide.metrics import categorical_metrics

NAMES = ["C1", "C2", "D2"]


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return true classes (B,) and tied probabilities (B, K)."""
    rng = np.random.default_rng(seed)
    classes = rng.integers(0, 3, 120)
    return classes, np.round(rng.dirichlet(np.ones(3), 120), 2)


def test_one_label_per_row_equals_sklearn_on_class_indices():
    classes, probabilities = random_case(0)
    predicted, membership = probabilities.argmax(axis=1), np.eye(3, dtype=np.int64)[classes]
    scores = categorical_metrics(membership, probabilities, NAMES)
    reference = {
        "accuracy": (classes == predicted).mean(),
        "macro_average_precision": average_precision_score(membership, probabilities),
        "macro_auroc": roc_auc_score(membership, probabilities, average="macro"),
        "macro_f1": f1_score(classes, predicted, average="macro"),
        "macro_precision": precision_score(classes, predicted, average="macro"),
        "macro_recall": recall_score(classes, predicted, average="macro"),
        "mcc": matthews_corrcoef(classes, predicted),
    }
    assert {name: scores[name] for name in reference} == pytest.approx(reference)
    assert scores["macro_classes"] == 3


def test_specificity_is_the_share_of_the_others_that_are_left_alone():
    classes, probabilities = random_case(1)
    predicted = probabilities.argmax(axis=1)
    scores = categorical_metrics(np.eye(3, dtype=np.int64)[classes], probabilities, NAMES)
    wanted = [(predicted[classes != k] != k).mean() for k in range(3)]
    got = [scores["per_class"][name]["specificity"] for name in NAMES]
    assert got == pytest.approx(wanted)
    assert scores["macro_specificity"] == pytest.approx(np.mean(wanted))


def test_a_row_with_several_labels_is_right_when_the_prediction_is_one_of_them():
    membership = [[1, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 0]]
    probabilities = [[0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1]]
    scores = categorical_metrics(membership, probabilities, NAMES)
    # predicted C2 D2 D2 C1: right, wrong, right, right
    assert scores["accuracy"] == 0.75
    # true class of row 0 is C2 (predicted and its own), of row 1 C1 (its first)
    assert scores["mcc"] == pytest.approx(matthews_corrcoef([1, 0, 2, 0], [1, 2, 2, 0]))
    # memberships, not true classes, count per class: C1 is carried by rows 0, 1 and 3
    assert scores["per_class"]["C1"]["n"] == 3
    assert scores["per_class"]["C1"]["recall"] == pytest.approx(1 / 3)
    assert scores["per_class"]["C1"]["precision"] == 1.0


def test_macro_leaves_out_classes_without_positives_or_without_negatives():
    membership = [[1, 1, 0], [1, 0, 0], [1, 1, 0]]  # all carry C1, none D2
    probabilities = [[0.2, 0.8, 0.0], [0.7, 0.2, 0.1], [0.3, 0.6, 0.1]]
    scores = categorical_metrics(membership, probabilities, NAMES)
    assert scores["macro_classes"] == 1
    for name in ("average_precision", "auroc", "f1", "precision", "recall", "specificity"):
        assert scores[f"macro_{name}"] == scores["per_class"]["C2"][name] == 1.0
    assert np.isnan(scores["per_class"]["D2"]["average_precision"])
    assert np.isnan(scores["per_class"]["C1"]["specificity"])


def test_a_class_that_is_never_predicted_counts_as_zero_in_the_macro():
    scores = categorical_metrics([[1, 0], [0, 1]], [[0.9, 0.1], [0.8, 0.2]], ["C1", "C2"])
    assert scores["per_class"]["C2"]["precision"] == 0.0
    assert scores["macro_precision"] == 0.25  # (1/2 + 0) / 2


def test_one_class_only_leaves_macro_and_mcc_nan():
    scores = categorical_metrics([[1, 0]] * 2, [[0.9, 0.1], [0.2, 0.8]], ["C1", "C2"])
    assert scores["accuracy"] == 0.5
    assert scores["macro_classes"] == 0
    assert np.isnan([scores["mcc"], scores["macro_f1"], scores["macro_auroc"]]).all()


def test_the_first_of_equally_probable_classes_is_predicted():
    assert categorical_metrics([[1, 0], [0, 1]], [[0.5, 0.5]] * 2, ["a", "b"])["accuracy"] == 0.5


@pytest.mark.parametrize(
    ("membership", "probabilities", "names", "message"),
    [
        ([[1, 0]], [[0.5, 0.5]], ["a"], "1 distinct class names for 2 columns"),
        ([[1, 0]], [[0.5, 0.5]], ["a", "a"], "1 distinct class names for 2 columns"),
        ([[0, 0], [0, 0]], [[0.5, 0.5]] * 2, ["a", "b"], r"none of 2 rows carries a class"),
        ([[1, 0]], [[0.5, 0.5]] * 2, ["a", "b"], "same shape"),
        ([[1, 0]], [[0.5, float("nan")]], ["a", "b"], "NaN or infinite"),
        ([1, 0], [0.5, 0.5], ["a", "b"], r"expected 2 axes \(B, K\)"),
        (np.zeros((0, 2)), np.zeros((0, 2)), ["a", "b"], "no class memberships"),
    ],
)
def test_wrong_input_is_refused(
    membership: ArrayLike, probabilities: ArrayLike, names: list[str], message: str
):
    with pytest.raises(InputError, match=message):
        categorical_metrics(membership, probabilities, names)


def test_no_prediction_is_right_for_a_row_without_class():
    """Of a class that has no column: accuracy and MCC as with that class written out."""
    truth, scores = [[1, 0], [0, 1], [0, 0]], [[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]]
    metrics = categorical_metrics(truth, scores, ["a", "b"])
    assert metrics["accuracy"] == pytest.approx(2 / 3)
    assert metrics["mcc"] == pytest.approx(matthews_corrcoef([0, 1, 2], [0, 1, 0]))
    assert metrics["per_class"]["a"]["average_precision"] == 1.0
    assert metrics["per_class"]["a"]["precision"] == 0.5
