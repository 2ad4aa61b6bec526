from collections.abc import Callable

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score
from torch.nn import functional

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions
from peftide.outcomes.binary import (
    BINARY,
    binary_answers,
    binary_columns,
    binary_loss,
    fit_binary,
    read_binary,
)
from peftide.sequences import Examples

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]
LOGITS = torch.tensor([[2.0], [-1.0], [0.5], [0.0]])
VALUES = torch.tensor([[1.0], [0.0], [0.0], [1.0]])


@pytest.mark.parametrize(
    ("text", "value"),
    [(" 1", 1), ("1.0", 1), ("TRUE", 1), ("yes", 1), ("Positive", 1)]
    + [("0", 0), ("0.0", 0), ("False", 0), ("NO", 0), ("negative ", 0)],
)
def test_labels_are_read(rows: Rows, reading: Reading, text: str, value: int) -> None:
    targets = read_binary(rows([text]), Labels(), reading())
    assert targets.values.tolist() == [[value]]
    assert targets.offsets.tolist() == [0, 1]


@pytest.mark.parametrize("text", ["maybe", "", "2", "-1", "nan", "1 0", "0.5"])
def test_any_other_label_is_refused_with_its_line(rows: Rows, reading: Reading, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_binary(rows(["1", text, "0"]), Labels(), reading())
    assert str(caught.value).startswith(f"t.tsv:3: label {text!r} is neither 1 nor 0")
    assert "--label-column" in str(caught.value)


def test_all_wrong_labels_are_collected(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"(?s)2 problems.*t\.tsv:2: .*t\.tsv:4: "):
        read_binary(rows(["?", "1", "perhaps"]), Labels(), reading())


def test_rows_that_do_not_count_are_read_but_not_counted(rows: Rows, reading: Reading) -> None:
    examples = rows(["1", "1", "0", "0"], counted=[True, False, True, True])
    assert fit_binary(examples, reading()).class_counts == (2.0, 1.0)
    assert read_binary(examples, Labels(), reading()).counted.tolist() == [True, False, True, True]


@pytest.mark.parametrize("label", ["0", "1"])
def test_one_class_only_is_refused(rows: Rows, reading: Reading, label: str) -> None:
    with pytest.raises(InputError, match=rf"t\.tsv: all 3 training labels are {label}"):
        fit_binary(rows([label] * 3), reading())


def test_a_class_among_uncounted_rows_only_is_none(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="all 2 training labels are 1"):
        fit_binary(rows(["1", "0", "1"], counted=[True, False, True]), reading())


def test_rows_of_which_none_counts_are_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv: no training label counts"):
        fit_binary(rows(["1", "0"], counted=[False, False]), reading())


def test_the_loss_is_torchs(rows: Rows) -> None:
    loss = binary_loss(LOGITS, VALUES, Labels(("0", "1"), (3.0, 1.0)), imbalance="none")
    expected = functional.binary_cross_entropy_with_logits(LOGITS, VALUES, reduction="none")
    torch.testing.assert_close(loss, expected[:, 0])


def test_weights_make_both_classes_weigh_the_same() -> None:
    """3 negatives and 1 positive: weights 2/3 and 2, whose totals are both 2."""
    loss = binary_loss(LOGITS, VALUES, Labels(("0", "1"), (3.0, 1.0)), imbalance="weights")
    plain = functional.binary_cross_entropy_with_logits(LOGITS, VALUES, reduction="none")[:, 0]
    torch.testing.assert_close(loss, plain * torch.tensor([2.0, 2 / 3, 2 / 3, 2.0]))
    pos_weight = functional.binary_cross_entropy_with_logits(
        LOGITS, VALUES, reduction="none", pos_weight=torch.tensor(3.0)
    )
    torch.testing.assert_close(loss, pos_weight[:, 0] * 2 / 3)


def test_logit_adjustment_adds_the_log_prior_odds() -> None:
    """Menon et al. 2021: with logit 0 the adjusted model predicts the prior, here 1/4."""
    labels = Labels(("0", "1"), (3.0, 1.0))
    zeros = torch.zeros(2, 1)
    loss = binary_loss(zeros, torch.tensor([[1.0], [0.0]]), labels, imbalance="logit_adjustment")
    torch.testing.assert_close(loss, -torch.log(torch.tensor([0.25, 0.75])))


def test_answers_are_probabilities_without_overflow() -> None:
    logits = np.array([[0.0], [1000.0], [-1000.0], [np.log(3.0)]], dtype=np.float32)
    assert binary_answers(logits, Labels()) == pytest.approx([0.5, 1.0, 0.0, 0.75])


def test_columns_say_score_probability_and_prediction() -> None:
    logits = np.array([[-1.0], [0.0], [1.0]], dtype=np.float32)
    columns = binary_columns(logits, Labels(), threshold=0.5)
    assert list(columns) == ["score", "probability", "prediction"]
    assert columns["prediction"].tolist() == [0, 1, 1]
    assert binary_columns(logits, Labels(), threshold=0.6)["prediction"].tolist() == [0, 0, 1]


def test_metrics_are_those_of_the_probabilities() -> None:
    values, answers = np.array([[1.0], [0.0], [1.0]]), np.array([0.2, 0.4, 0.9])
    metrics = BINARY.metrics(values, answers, Labels(), threshold=0.5)
    assert metrics[BINARY.headline] == average_precision_score([1, 0, 1], answers)
    assert metrics["recall"] == 0.5
