import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from peftide.bundle import load_bundle
from peftide.errors import InputError
from peftide.evaluation.answering import Answering
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.conformal import fit_conformal
from peftide.evaluation.decisions import Decisions
from peftide.tasks import TASKS, Labels

Trained = Callable[[str, str], Path]
LOGITS = np.linspace(-3, 3, 13, dtype=np.float32)[:, None]


@pytest.fixture
def pairs() -> Answering:
    """Answers about pairs with calibration and limits of our own."""
    values = (np.arange(40) % 2)[:, None].astype(float)
    probabilities = np.where(values[:, 0] > 0, 0.6, 0.4) + np.linspace(-0.3, 0.3, 40)
    decisions = Decisions(
        Calibration("temperature", temperature=2.0, prior=(0.5, 0.5)),
        threshold=0.6,
        conformal=fit_conformal(probabilities, values),
    )
    return Answering(TASKS["ppi"], Labels(("0", "1"), (30.0, 10.0)), decisions)


def test_probabilities_are_calibrated_and_the_score_is_the_models_own(pairs: Answering) -> None:
    columns = pairs.columns(LOGITS)
    assert list(columns) == ["score", "probability", "prediction"]
    np.testing.assert_array_equal(columns["score"], LOGITS[:, 0])
    np.testing.assert_allclose(
        columns["probability"], 1 / (1 + np.exp(-LOGITS[:, 0] / 2)), rtol=1e-5
    )
    assert (columns["prediction"] == (columns["probability"] >= 0.6)).all()


def test_another_prevalence_moves_probabilities_and_no_decision(pairs: Answering) -> None:
    usual, rare = pairs.columns(LOGITS), pairs.columns(LOGITS, prevalence=0.001)
    odds = usual["probability"] / (1 - usual["probability"])
    found = rare["probability"] / (1 - rare["probability"])
    np.testing.assert_allclose(found, odds * 0.001 / 0.999)
    assert (rare["prediction"] == usual["prediction"]).all()


def test_sets_hold_the_classes_that_are_not_too_strange(pairs: Answering) -> None:
    columns = pairs.columns(LOGITS, error_rate=0.1)
    assert columns["set"][0] == "0"
    assert columns["set"][6] == "0,1"
    assert columns["set"][-1] == "1"
    sets = pairs.sets(LOGITS, 0.1)
    rare = pairs.columns(LOGITS, error_rate=0.1, prevalence=0.001)
    assert rare["set"] == columns["set"]
    assert [sets[k].sum() for k in (0, 6)] == [1, 2]


def test_both_prevalences_are_said(pairs: Answering, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="peftide"):
        pairs.check(prevalence=0.001)
    assert "0.001" in caplog.text
    assert "0.5" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"error_rate": 0.0}, "--error-rate: received 0.0; expected a number above 0, below 1"),
        ({"prevalence": 1.5}, "--prevalence: received 1.5; expected a number above 0, below 1"),
        ({"prevalence": float("nan")}, "--prevalence: received nan"),
    ],
)
def test_a_share_must_be_one(pairs: Answering, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        pairs.check(**options)


def test_numbers_have_neither_sets_nor_prevalence() -> None:
    values = Answering(TASKS["regression"], Labels())
    with pytest.raises(InputError, match="--error-rate: .*no prediction sets"):
        values.check(error_rate=0.1)
    with pytest.raises(InputError, match="--prevalence: .*no positive class"):
        values.check(prevalence=0.1)


def test_without_calibration_the_share_of_the_training_labels_is_assumed(pairs: Answering) -> None:
    bare = dataclasses.replace(pairs, decisions=Decisions())
    assert (pairs.assumed_prevalence(), bare.assumed_prevalence()) == (0.5, 0.25)
    with pytest.raises(InputError, match="no prediction sets"):
        bare.check(error_rate=0.1)


def test_classes_have_sets_of_names(trained: Trained) -> None:
    answering = load_bundle(trained("symmetry", "head") / "model").answering
    names = answering.labels.class_names
    columns = answering.columns(np.zeros((2, len(names)), dtype=np.float32), error_rate=0.1)
    assert set(columns["set"][0].split(",")) <= set(names)
    assert len(columns["set"]) == 2
