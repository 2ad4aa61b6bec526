import re

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import precision_recall_curve

from peftide.report.curves import MOST_OTHERS, Beside, figures_of, precision_recall, reliability
from peftide.report.figures import MOST_POINTS
from peftide.report.read import Part
from tests.report.conftest import Outline, make_part


def binary(rows: int, seed: int = 0) -> Part:
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 2, rows)
    return make_part("binary", truth, np.clip(truth * 0.3 + generator.uniform(0, 0.7, rows), 0, 1))


def names(part: Part, threshold: float | None = 0.5) -> list[str]:
    figures = figures_of(part, Beside(threshold))
    return [Outline(figure).text("b").strip(" .") for figure in figures]


def test_each_kind_has_its_figures() -> None:
    asked = ["Precision and recall", "ROC", "Calibration", "Probabilities"]
    assert names(binary(40)) == asked
    assert names(make_part("continuous", [1, 2, 3], [1, 2, 4]), None) == ["Predicted and measured"]
    classes = make_part("categorical", [[1, 0], [0, 1]], [[0.9, 0.1], [0.3, 0.7]])
    assert names(classes, None) == ["Calibration"]
    assert names(make_part("multilabel", [[1, 0]], [[0.9, 0.1]])) == ["Calibration"]


@pytest.mark.parametrize("truth", [[1], [0], [1, 1, 1]])
def test_one_class_or_one_row_has_no_curves_but_the_rest(truth: list[int]) -> None:
    assert names(make_part("binary", truth, [0.3] * len(truth))) == ["Calibration", "Probabilities"]


def test_one_value_can_be_drawn() -> None:
    assert names(make_part("continuous", [2.0], [1.0]), None) == ["Predicted and measured"]


def test_the_dot_of_the_threshold_lies_on_the_curve() -> None:
    part = binary(200)
    precision, recall, cuts = precision_recall_curve(part.truth, part.answers)
    at = np.searchsorted(cuts, 0.5)
    drawn = str(precision_recall(part, Beside(0.5)))
    (place,) = re.findall(r'cx="([\d.]+)" cy="([\d.]+)"', drawn)
    # the area of a chart is 264 wide from 46, and 188 high from 198 upwards
    assert float(place[0]) == pytest.approx(46 + 264 * recall[at], abs=0.06)
    assert float(place[1]) == pytest.approx(198 - 188 * precision[at], abs=0.06)


def test_long_parts_are_drawn_with_few_points() -> None:
    generator = np.random.default_rng(0)
    drawn = "".join(figures_of(binary(52_048), Beside(0.5)))
    assert max(path.count("L") for path in re.findall(r' d="([^"]+)"', drawn)) < MOST_POINTS
    assert len(drawn) < 60_000
    values = generator.normal(size=6000)
    (cloud,) = figures_of(make_part("continuous", values, values), Beside())
    assert cloud.count("<circle") == MOST_POINTS
    assert "400 of 6,000 rows" in cloud


def test_reliability_is_that_of_scikit_learn() -> None:
    part = binary(500)
    means, shares, rows = reliability(part.truth, part.answers)
    expected = calibration_curve(part.truth, part.answers, n_bins=10, strategy="quantile")
    assert shares == pytest.approx(expected[0], abs=0.03)  # a row at an edge may be the neighbour's
    assert means == pytest.approx(expected[1], abs=0.01)
    assert rows.sum() == 500


def test_equal_probabilities_share_a_bin() -> None:
    means, shares, rows = reliability(np.array([0.0, 1, 1]), np.full(3, 0.25))
    assert (means.tolist(), shares.tolist(), rows.tolist()) == ([0.25], [pytest.approx(2 / 3)], [3])


def test_the_curves_of_others_are_drawn_and_named_in_their_order() -> None:
    points = {curve: (np.array([0.0, 1.0]), np.array([0.5, 0.5])) for curve in ("roc", "x")}
    higher = {"roc": (np.array([0.0, 1.0]), np.array([0.5, 0.75]))}
    beside = Beside(0.5, curves={"degree": points, "<b>TUnA": higher})
    drawn = [Outline(figure) for figure in figures_of(binary(40), beside)]
    share = float(binary(40).truth.mean())
    assert drawn[0].text("li") == f"this modelguessing, {share:.2f}"  # of the others, only ROC
    names = drawn[1].text("li")
    assert names == "this modeldegree<b>TUnAguessing"
    label = str(drawn[1].all("svg")[0]["aria-label"])
    assert label.endswith("; this model and degree, <b>TUnA")
    assert len([path for path in drawn[1].all("path") if "M0 5" not in str(path["d"])]) == 3


def test_equal_curves_share_one_line_with_the_names_of_all() -> None:
    points = {"roc": (np.array([0.0, 1.0]), np.array([0.0, 1.0]))}
    beside = Beside(curves={"degree": points, "kmer": points})
    drawn = Outline(figures_of(binary(40), beside)[1])
    assert drawn.text("li") == "this modeldegree, kmerguessing"
    assert len([path for path in drawn.all("path") if "M0 5" not in str(path["d"])]) == 2


def test_at_most_six_curves_of_others_are_drawn() -> None:
    ends = np.array([0.0, 1.0])
    curves = {f"tool_{k}": {"roc": (ends, ends * k / 20)} for k in range(20)}
    assert len(Outline(figures_of(binary(40), Beside(curves=curves))[1]).all("li")) == (
        1 + MOST_OTHERS + 1
    )
