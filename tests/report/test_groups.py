import numpy as np
import pytest
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score

from peftide.report.groups import group_score, groups_intro, groups_of, identity_bands, split
from tests.report.conftest import Outline, make_part


def column(values: ArrayLike) -> np.ndarray:
    return np.array([str(value) for value in np.atleast_1d(values)], dtype=object)


def test_identities_are_grouped_by_bands_and_text_is_left_out() -> None:
    values = column(["0", "0.3", "0.49", "0.5", "0.95", "1", "", "many"])
    assert [(name, int(rows.sum())) for name, rows in identity_bands(values)] == [
        ("nothing similar found", 1),
        ("below 50 %", 2),
        ("50 to 70 %", 1),
        ("90 % and more", 2),
    ]


def test_numbers_fall_into_quarters_in_which_each_row_stands_once() -> None:
    groups = list(split(column(np.random.default_rng(0).permutation(100))))
    assert [name for name, _ in groups] == ["0 to 24", "25 to 49", "50 to 74", "75 to 99"]
    assert np.sum([rows for _, rows in groups], axis=0).tolist() == [1] * 100


def test_words_are_their_own_groups() -> None:
    found = {name: rows.tolist() for name, rows in split(column(["one_seen", "none_seen"]))}
    assert found == {"none_seen": [False, True], "one_seen": [True, False]}


TITLE = "Pairs per protein in this part (of two proteins, the larger number)"


def test_a_property_that_all_rows_share_is_left_out() -> None:
    strata = {"length": column([5, 5, 5, 5]), "pairs_in_part": column([1, 1, 4, 4])}
    part = make_part("binary", [0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8], strata=strata)
    (table,) = groups_of(part)
    assert Outline(table).text("caption") == TITLE
    assert groups_of(make_part("binary", [0, 1], [0.1, 0.9])) == []


def test_scores_of_groups_are_those_of_their_rows() -> None:
    generator = np.random.default_rng(1)
    truth, answers = generator.integers(0, 2, 40), generator.uniform(size=40)
    rows = np.arange(40) < 20
    expected = average_precision_score(truth[:20], answers[:20])
    found = group_score(make_part("binary", truth, answers), rows)
    assert found == (pytest.approx(expected), truth[:20].mean())
    assert group_score(make_part("binary", [1, 1], [0.5, 0.6]), np.array([True, True])) == (None, 1)
    assert group_score(make_part("continuous", [1, 2, 3], [3, 2, 1]), np.ones(3, dtype=bool)) == (
        pytest.approx(-1),
        None,
    )
    classes = make_part("categorical", [[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]])
    assert group_score(classes, np.array([True, True])) == (0.5, None)
    cells = make_part("multilabel", [[1, 0], [0, 1]], [[0.9, 0.1], [0.6, 0.4]])
    assert group_score(cells, np.array([True, True]))[0] == pytest.approx(
        average_precision_score([1, 0, 0, 1], [0.9, 0.1, 0.6, 0.4])
    )


def test_the_intro_names_the_score() -> None:
    assert "accuracy" in groups_intro(make_part("categorical", [[1]], [[1]]))
    assert "ticks" in groups_intro(make_part("binary", [1], [1]))


def test_groups_without_any_score_are_left_out() -> None:
    strata = {"length": column([5, 5, 6, 6])}
    part = make_part("binary", [1, 1, 1, 1], [0.1, 0.9, 0.2, 0.8], strata=strata)
    assert groups_of(part) == []
