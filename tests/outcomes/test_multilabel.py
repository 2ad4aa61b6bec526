from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions
from peftide.outcomes.multilabel import (
    SUBSET,
    fit_multilabel,
    multilabel_answers,
    multilabel_columns,
    multilabel_loss,
    read_multilabel,
)
from peftide.sequences import Examples

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]
ABC = Labels(class_names=("a", "b", "c"), class_counts=(6.0, 2.0, 8.0), rows=8.0)
LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.0, 1.0, 3.0]])
VALUES = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 1.0]])


@pytest.mark.parametrize("text", ["a;c", "c, a", "a|c", " a ; c ;", "a;a;c"])
def test_sets_are_read_whatever_separates_them(rows: Rows, reading: Reading, text: str) -> None:
    assert read_multilabel(rows([text]), ABC, reading()).values.tolist() == [[1, 0, 1]]


@pytest.mark.parametrize("text", ["none", "None", "NONE"])
def test_an_empty_set_is_written_none(rows: Rows, reading: Reading, text: str) -> None:
    assert read_multilabel(rows([text]), ABC, reading()).values.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "names no class"), (";", "names no class"), ("none;a", "has none beside other classes")],
)
def test_a_cell_that_says_nothing_clear_is_refused_with_its_line(
    rows: Rows, reading: Reading, text: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_multilabel(rows(["a", text]), ABC, reading())
    assert str(caught.value).startswith(f"t.tsv:3: label {text!r} {message}")
    assert "an empty set is written none" in str(caught.value)


def test_classes_are_counted_over_the_rows_that_count(rows: Rows, reading: Reading) -> None:
    examples = rows(["b;a", "none", "b", "c"], counted=[True, True, True, False])
    labels = fit_multilabel(examples, reading())
    assert labels.class_names == ("a", "b", "c")
    assert labels.class_counts == (1.0, 2.0, 0.0)
    assert labels.rows == 3


@pytest.mark.parametrize("text", ["a;b", "none"])
def test_rows_that_all_have_one_set_are_refused(rows: Rows, reading: Reading, text: str) -> None:
    with pytest.raises(InputError, match=r"t\.tsv: all training rows have the same classes"):
        fit_multilabel(rows([text] * 3), reading())


def test_classes_that_train_lacks_are_left_out_and_counted(rows: Rows, reading: Reading) -> None:
    targets = read_multilabel(rows(["a;z", "y;z"]), ABC, reading())
    assert targets.values.tolist() == [[1, 0, 0], [0, 0, 0]]
    (finding,) = targets.findings
    assert (finding.kind, finding.count) == ("mentions_of_unknown_classes", 3)
    assert finding.examples == ("z", "y")


def test_the_loss_is_torchs() -> None:
    loss = multilabel_loss(LOGITS, VALUES, ABC, imbalance="none")
    expected = functional.binary_cross_entropy_with_logits(LOGITS, VALUES, reduction="none")
    torch.testing.assert_close(loss, expected.mean(dim=1))


def test_weights_make_yes_and_no_of_each_class_weigh_the_same() -> None:
    """a: 6 of 8, so 4/6 and 4/2; b: 2 of 8; c: all 8, with one row assumed without it."""
    loss = multilabel_loss(LOGITS, VALUES, ABC, imbalance="weights")
    plain = functional.binary_cross_entropy_with_logits(LOGITS, VALUES, reduction="none")
    weights = torch.tensor([[4 / 6, 4 / 6, 4.5], [2.0, 2.0, 4.5 / 8]])
    torch.testing.assert_close(loss, (plain * weights).mean(dim=1))


def test_logit_adjustment_adds_the_log_prior_odds_of_each_class() -> None:
    """With logits 0 the adjusted model predicts the priors, here 3/4, 1/4 and 8/9."""
    zeros, ones = torch.zeros(1, 3), torch.ones(1, 3)
    loss = multilabel_loss(zeros, ones, ABC, imbalance="logit_adjustment")
    torch.testing.assert_close(loss, -torch.log(torch.tensor([[3 / 4, 1 / 4, 8 / 9]])).mean(dim=1))


def test_columns_write_sets_as_the_table_does() -> None:
    logits = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, -1.0]], dtype=np.float32)
    columns = multilabel_columns(logits, ABC, threshold=0.5)
    assert list(columns) == ["prediction", "p_a", "p_b", "p_c"]
    assert columns["prediction"] == ["a;c", "none"]
    assert columns["p_a"] == pytest.approx([0.731059, 0.268941], abs=1e-6)


def test_classes_are_judged_on_their_own() -> None:
    answers = multilabel_answers(LOGITS.numpy(), ABC)
    metrics = SUBSET.metrics(VALUES.numpy(), answers, ABC, threshold=0.5)
    assert metrics[SUBSET.headline] == 1.0
    assert metrics["exact_match"] == 0.0  # b of the first and a of the second stand at 0.5


@pytest.mark.parametrize(
    "text", ["['a', 'c']", '["c","a"]', "{'a', 'c'}", "('a', 'c')", "['a' 'c']", "[a, c]"]
)
def test_lists_of_names_are_sets(rows: Rows, reading: Reading, text: str) -> None:
    assert read_multilabel(rows([text]), ABC, reading()).values.tolist() == [[1, 0, 1]]


@pytest.mark.parametrize("text", ["[]", "()", "{}", "set()", "array([], dtype=object)"])
def test_an_empty_list_is_an_empty_set(rows: Rows, reading: Reading, text: str) -> None:
    assert read_multilabel(rows([text]), ABC, reading()).values.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize("second", ["0,1,1", "[0 1 1]", "0 1 1", "[False, True, True]"])
def test_zeros_and_ones_are_columns(rows: Rows, reading: Reading, second: str) -> None:
    examples = rows(["1,0,1", second, "[]"])
    labels = fit_multilabel(examples, reading())
    assert labels.class_names == ("class_1", "class_2", "class_3")
    assert labels.class_counts == (1.0, 1.0, 2.0)
    values = read_multilabel(examples, labels, reading()).values
    assert values.tolist() == [[1, 0, 1], [0, 1, 1], [0, 0, 0]]
    again = read_multilabel(rows(["class_2;class_3"]), labels, reading())  # as predictions say it
    assert again.values.tolist() == [[0, 1, 1]]


def test_columns_have_the_names_of_the_user(rows: Rows, reading: Reading) -> None:
    named = replace(reading(), classes=("x", "y"))
    assert fit_multilabel(rows(["1,0", "1,1"]), named).class_names == ("x", "y")
    with pytest.raises(InputError, match="--classes has 2 names for labels of 3 columns"):
        fit_multilabel(rows(["1,0,1", "1,1,1"]), named)
    with pytest.raises(InputError, match="the labels name their classes"):
        fit_multilabel(rows(["a;b", "a"]), named)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[1 0 ... 1]", "was cut when it was written"),
        ("1,0", "has 2 columns of 0 and 1, not 3"),
        ("[[1, 0, 1]]", "is a list of lists"),
        ("['class_1', None]", "has an empty or missing entry"),
        ("['']", "has an empty or missing entry"),
    ],
)
def test_lists_that_cannot_be_read_are_refused_with_their_line(
    rows: Rows, reading: Reading, text: str, message: str
) -> None:
    labels = fit_multilabel(rows(["1,0,1", "0,1,1"]), reading())
    with pytest.raises(InputError) as caught:
        read_multilabel(rows(["1,0,1", text]), labels, reading())
    assert f"t.tsv:3: label {text!r} {message}" in str(caught.value)


def test_columns_of_different_lengths_are_no_sets(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv:2: label '1,0,1' is neither a set"):
        fit_multilabel(rows(["1,0,1", "0,1"]), reading())


def test_classes_may_be_numbers(rows: Rows, reading: Reading) -> None:
    assert fit_multilabel(rows(["[0, 3]", "[17]"]), reading()).class_names == ("0", "3", "17")


def test_a_name_in_brackets_stays_whole(rows: Rows, reading: Reading) -> None:
    labels = fit_multilabel(rows(["[2Fe-2S]", "[2Fe-2S];heme", "none"]), reading())
    assert labels.class_names == ("[2Fe-2S]", "heme")
    values = read_multilabel(rows(["[2Fe-2S]"]), labels, reading()).values
    assert values.tolist() == [[1, 0]]
    assert fit_multilabel(rows(["[a]", "[]", "[b, a]"]), reading()).class_names == ("a", "b")


def test_names_with_a_separator_are_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="a class named 'a;b'"):
        fit_multilabel(rows(["['a;b', 'c']", "['c']"]), reading())


def test_classes_that_differ_in_case_are_named(rows: Rows, reading: Reading) -> None:
    examples = rows(["Nucleus;x", "nucleus"])
    labels = fit_multilabel(examples, reading())
    (finding,) = read_multilabel(examples, labels, reading()).findings
    assert finding.kind == "similar_classes"
