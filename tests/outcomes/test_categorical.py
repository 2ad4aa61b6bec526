from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions, Targets
from peftide.outcomes.categorical import (
    CATEGORICAL,
    categorical_answers,
    categorical_columns,
    categorical_loss,
    fit_classes,
    read_classes,
    require_two_classes,
)
from peftide.sequences import Examples

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]
LABELS = Labels(("a", "b", "c"), (6.0, 2.0, 0.0))
LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0], [0.1, 0.2, 0.3]])
AB = Labels(class_names=("a", "b"))
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


def test_classes_are_those_of_train_numbers_by_value_then_words(
    rows: Rows, reading: Reading
) -> None:
    labels = fit_classes(rows(["10", "2", "b", "2", "B"]), reading())
    assert labels.class_names == ("2", "10", "B", "b")
    assert labels.class_counts == (2.0, 1.0, 1.0, 1.0)


def test_each_row_has_its_class(rows: Rows, reading: Reading) -> None:
    targets = read_classes(rows(["b", "a"]), AB, reading())
    assert targets.values.tolist() == [[0, 1], [1, 0]]
    assert targets.findings == ()


def test_a_row_of_a_class_that_train_lacks_counts_and_has_no_right_answer(
    rows: Rows, reading: Reading
) -> None:
    targets = read_classes(rows(["b", "z"]), AB, reading())
    assert targets.values.tolist() == [[0, 1], [0, 0]]
    assert targets.counted.tolist() == [True, True]
    (finding,) = targets.findings
    assert (finding.kind, finding.count) == ("rows_of_unknown_classes", 1)
    assert finding.examples == ("t.tsv:3",)


def test_a_part_with_other_classes_only_is_refused(rows: Rows, reading: Reading) -> None:
    labels = Labels(class_names=("nucleus", "cytosol"))
    with pytest.raises(InputError, match=r"t\.tsv:2: train has none .*Did you mean nucleus"):
        read_classes(rows(["Nucleus", "Nucleus"]), labels, reading())


def test_one_class_only_is_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"one class only \(a\)"):
        fit_classes(rows(["a", "a"]), reading())


def test_labels_that_all_differ_are_no_classes(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="all 3 training labels differ .*--task regression"):
        fit_classes(rows(["0.1", "0.2", "0.3"]), reading())
