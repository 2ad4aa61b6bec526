import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from peftide.outcomes import OUTCOMES
from peftide.outcomes.shown import average_precision
from peftide.report.curves import FIGURES

NAMES = ("A", "B", "C")
TRUTH = {
    "binary": np.array([1.0, 0.0, 1.0]),
    "categorical": np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 0]]),
    "multilabel": np.array([[1.0, 0, 1], [0, 1, 0], [0, 0, 0]]),
    "continuous": np.array([1.0, 2.0, 4.0]),
}
ANSWERS = {
    "binary": np.array([0.9, 0.8, 0.2]),
    "categorical": np.array([[0.8, 0.1, 0.1], [0.6, 0.2, 0.2], [0.1, 0.2, 0.7]]),
    "multilabel": np.array([[0.8, 0.1, 0.1], [0.6, 0.2, 0.2], [0.1, 0.2, 0.7]]),
    "continuous": np.array([1.0, 2.5, 3.0]),
}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_every_rule_takes_the_rows_of_a_part(kind: str) -> None:
    shown, truth, answers = OUTCOMES[kind].shown, TRUTH[kind], ANSWERS[kind]
    assert set(shown.figures) <= FIGURES.keys()
    assert ("calibration" in shown.figures) == (shown.sureness is not None) == bool(shown.sure_of)
    assert (shown.mistakes is None) == (shown.said is None)
    assert np.isfinite(shown.group_score(truth, answers)[0])
    if shown.sureness is not None:
        right, sure = shown.sureness(truth, answers)
        assert right.shape == sure.shape
        assert set(right.tolist()) <= {0, 1}


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_right_rows_are_no_mistakes(kind: str) -> None:
    shown, truth, answers = OUTCOMES[kind].shown, TRUTH[kind], ANSWERS[kind]
    assert shown.decisions is not None
    assert shown.mistakes is not None
    names, true, predicted = shown.decisions(truth, answers, NAMES, threshold=0.5)
    assert len(names) > max(true.max(), predicted.max())
    size = shown.mistakes(truth, answers, threshold=0.5)
    assert ((size == 0) == (true == predicted)).all()
    assert size.argmax() != 0


def test_answers_are_in_the_words_of_their_kind() -> None:
    said = {
        kind: outcome.shown.said(ANSWERS[kind][1], NAMES, threshold=0.5)
        for kind, outcome in OUTCOMES.items()
        if outcome.shown.said is not None
    }
    assert said == {"binary": "yes (0.800)", "categorical": "A (0.600)", "continuous": "2.5"}


def test_cells_of_several_classes_are_ranked_together() -> None:
    found, guess = average_precision(TRUTH["multilabel"], ANSWERS["multilabel"])
    truth, answers = TRUTH["multilabel"].ravel(), ANSWERS["multilabel"].ravel()
    assert found == pytest.approx(average_precision_score(truth, answers))
    assert guess == pytest.approx(1 / 3)
