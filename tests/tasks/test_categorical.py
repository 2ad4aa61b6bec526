import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional

from peftide.errors import InputError
from peftide.tasks import Labels, Targets
from peftide.tasks.categorical import (
    CATEGORICAL,
    categorical_answers,
    categorical_columns,
    categorical_loss,
    require_two_classes,
)

LABELS = Labels(("a", "b", "c"), (6.0, 2.0, 0.0))
LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0], [0.1, 0.2, 0.3]])
VALUES = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]])


def test_the_loss_is_torchs_with_soft_targets() -> None:
    loss = categorical_loss(LOGITS, VALUES, LABELS, imbalance="none")
    torch.testing.assert_close(loss, functional.cross_entropy(LOGITS, VALUES, reduction="none"))


def test_weights_make_present_classes_weigh_the_same() -> None:
    """6 of a and 2 of b: weights 8/(2·6) and 8/(2·2), whose totals are both 4; c has none."""
    loss = categorical_loss(LOGITS, VALUES, LABELS, imbalance="weights")
    plain = functional.cross_entropy(LOGITS, VALUES, reduction="none")
    weights = torch.tensor([2 / 3, 2.0, (2 / 3 + 2.0) / 2])
    torch.testing.assert_close(loss, plain * weights)


def test_logit_adjustment_adds_smoothed_log_priors() -> None:
    """Menon et al. 2021: with equal logits the adjusted model predicts (7, 3, 1) / 11."""
    zeros = torch.zeros(3, 3)
    loss = categorical_loss(zeros, torch.eye(3), LABELS, imbalance="logit_adjustment")
    torch.testing.assert_close(loss, -torch.log(torch.tensor([7.0, 3.0, 1.0]) / 11))


def test_answers_are_probabilities_without_overflow() -> None:
    logits = np.array([[1000.0, 0.0, 0.0], [0.0, 0.0, 0.0]], dtype=np.float32)
    answers = categorical_answers(logits, LABELS)
    np.testing.assert_allclose(answers, [[1, 0, 0], [1 / 3] * 3])


def test_columns_name_the_most_probable_class_and_all_probabilities() -> None:
    columns = categorical_columns(LOGITS.numpy(), LABELS, threshold=0.9)
    assert list(columns) == ["prediction", "p_a", "p_b", "p_c"]
    assert columns["prediction"].tolist() == ["a", "c", "c"]
    expected = torch.softmax(LOGITS, dim=1)[:, 1].numpy()
    np.testing.assert_allclose(columns["p_b"], expected, rtol=1e-6)


def test_metrics_take_any_share_of_a_class_as_membership() -> None:
    answers = categorical_answers(LOGITS.numpy(), LABELS)
    metrics = CATEGORICAL.metrics(VALUES.numpy(), answers, LABELS, threshold=0.5)
    by_hand = [
        average_precision_score([1, 0, 1], answers[:, 0]),
        average_precision_score([0, 1, 1], answers[:, 1]),
    ]
    assert metrics[CATEGORICAL.headline] == pytest.approx(np.mean(by_hand))
    assert metrics["macro_classes"] == 2


def test_two_classes_must_occur_among_rows_that_count() -> None:
    values = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    offsets = np.arange(4)
    both = Targets(values, np.array([True, True, True]), offsets)
    assert require_two_classes(both, ("a", "b"), "t.tsv").tolist() == [2, 1]
    with pytest.raises(InputError, match=r"t\.tsv: .*one class only \(a\)"):
        require_two_classes(
            Targets(values, np.array([True, False, True]), offsets), ("a", "b"), "t.tsv"
        )
