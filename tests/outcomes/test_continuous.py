from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch.nn import functional

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions
from peftide.outcomes.continuous import (
    CONTINUOUS,
    continuous_answers,
    continuous_columns,
    fit_continuous,
    read_continuous,
    squared_loss,
)
from peftide.sequences import Examples

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]


def test_numbers_are_read(rows: Rows, reading: Reading) -> None:
    targets = read_continuous(rows(["1", " -2.5", "3e-2"]), Labels(), reading())
    assert targets.values.tolist() == [[1.0], [-2.5], [0.03]]


@pytest.mark.parametrize("text", ["high", "NaN", "inf", "-inf", "1,5", "", "NA"])
def test_anything_else_is_refused_with_its_line(rows: Rows, reading: Reading, text: str) -> None:
    with pytest.raises(InputError) as caught:
        read_continuous(rows(["1", text]), Labels(), reading())
    assert str(caught.value).startswith(f"t.tsv:3: label {text!r} is not a finite number")


def test_centre_and_spread_are_those_of_the_rows_that_count(rows: Rows, reading: Reading) -> None:
    labels = fit_continuous(rows(["1", "3", "999"], counted=[True, True, False]), reading())
    assert (labels.centre, labels.spread) == (2.0, 1.0)


def test_equal_values_are_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv: all training values are equal"):
        fit_continuous(rows(["2", "2.0"]), reading())


def test_the_loss_is_the_squared_error_in_training_deviations() -> None:
    labels = Labels(centre=10.0, spread=4.0)
    logits, values = torch.tensor([[0.5], [-1.0]]), torch.tensor([[12.0], [2.0]])
    trained = torch.from_numpy(CONTINUOUS.trained(values.numpy(), labels))
    loss = squared_loss(logits, trained, labels, imbalance="none")
    expected = functional.mse_loss(logits, (values - 10) / 4, reduction="none")[:, 0]
    torch.testing.assert_close(loss, expected)


def test_answers_are_in_the_units_of_the_labels() -> None:
    labels = Labels(centre=10.0, spread=4.0)
    logits = np.array([[0.0], [1.0]], dtype=np.float32)
    assert continuous_answers(logits, labels).tolist() == [10.0, 14.0]
    columns = continuous_columns(logits, labels, threshold=0.5)
    assert {name: column.tolist() for name, column in columns.items()} == {
        "prediction": [10.0, 14.0]
    }


def test_the_headline_is_the_rank_correlation() -> None:
    values, answers = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([1.0, 3.0, 2.0, 9.0])
    metrics = CONTINUOUS.metrics(values, answers, Labels(), threshold=0.5)
    assert metrics[CONTINUOUS.headline] == pytest.approx(spearmanr(values[:, 0], answers)[0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1e300", "is too large to compute with"),
        ("-1e39", "is too large to compute with"),
        ("1e999", "is not a finite number"),
        ("9" * 5000, "(5,000 characters) has too many digits for a number"),
        ("0011000101110001110", "--task residue"),
        ("[0.5, 2]", "--task residue-regression"),
        ("1_000", "is not a finite number"),
    ],
)
def test_numbers_that_cannot_be_meant_are_named(
    rows: Rows, reading: Reading, text: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        fit_continuous(rows(["1", text, "2"]), reading())
    assert str(caught.value).startswith("t.tsv:3: label '")
    assert message in str(caught.value)


def test_values_far_from_all_others_are_counted(rows: Rows, reading: Reading) -> None:
    targets = read_continuous(rows(["1", "2", "3", "1e30", "4", "5"]), Labels(), reading())
    (finding,) = targets.findings
    assert (finding.kind, finding.count, finding.examples) == ("far_off_values", 1, ("t.tsv:5",))


def test_values_that_hardly_differ_are_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="differ by less than 1e-30"):
        fit_continuous(rows(["1e-40", "3e-40"]), reading())


def test_large_values_are_standardised_in_double_precision(rows: Rows, reading: Reading) -> None:
    """As float32 the three are one number."""
    examples = rows(["1700000001", "1700000002", "1700000003"])
    labels = fit_continuous(examples, reading())
    values = read_continuous(examples, labels, reading()).values
    assert CONTINUOUS.trained(values, labels)[:, 0] == pytest.approx([-1.224745, 0, 1.224745])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1,5", "it has a comma; write plain numbers with a point for decimals, as 1234.5"),
        ("1.234,5", "it has a comma"),
        ("1,234.5", "it has a comma"),
        ("45 %", "it has a percent sign"),
        ("n.d.", "is not a finite number but looks like a missing value: leave out the row"),
        ("1e-400", "is too small for a float and would be read as 0"),
        ("0.5;1,5", "has commas for the decimal point, or two separators"),
        ("0.5;inf", "is not a finite number but a list"),
    ],
)
def test_the_reason_is_named(rows: Rows, reading: Reading, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_continuous(rows(["1", text]), Labels(), reading())
    assert str(caught.value).startswith(f"t.tsv:3: label {text!r} ")
    assert said in str(caught.value)


def test_zeros_in_any_form_are_numbers(rows: Rows, reading: Reading) -> None:
    assert not read_continuous(rows(["0", "-0.0", "0e-400"]), Labels(), reading()).values.any()


def test_marks_for_missing_values_are_counted(rows: Rows, reading: Reading) -> None:
    (found,) = read_continuous(rows(["1", "2", "-999"]), Labels(), reading()).findings
    assert (found.kind, found.examples) == ("labels_like_missing_values", ("t.tsv:4",))
