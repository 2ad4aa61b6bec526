import dataclasses
import logging
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from peftide.bundle import Bundle, load_bundle
from peftide.errors import InputError
from peftide.evaluation.answers import (
    assumed_prevalence,
    bundle_columns,
    check_answer_options,
    prediction_sets,
)
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.conformal import fit_conformal

Trained = Callable[[str, str], Path]
LOGITS = np.linspace(-3, 3, 13, dtype=np.float32)[:, None]


@pytest.fixture
def pairs(trained: Trained) -> Bundle:
    """A model of pairs with calibration and limits of our own."""
    values = (np.arange(40) % 2)[:, None].astype(float)
    probabilities = np.where(values[:, 0] > 0, 0.6, 0.4) + np.linspace(-0.3, 0.3, 40)
    return dataclasses.replace(
        load_bundle(trained("ppi", "head") / "model"),
        calibration=Calibration("temperature", temperature=2.0, prior=(0.5, 0.5)),
        conformal=fit_conformal(probabilities, values),
        threshold=0.6,
    )


def test_probabilities_are_calibrated_and_the_score_is_the_models_own(pairs: Bundle) -> None:
    columns = bundle_columns(pairs, LOGITS)
    assert list(columns) == ["score", "probability", "prediction"]
    np.testing.assert_array_equal(columns["score"], LOGITS[:, 0])
    np.testing.assert_allclose(
        columns["probability"], 1 / (1 + np.exp(-LOGITS[:, 0] / 2)), rtol=1e-5
    )
    assert (columns["prediction"] == (columns["probability"] >= 0.6)).all()


def test_another_prevalence_moves_probabilities_and_no_decision(pairs: Bundle) -> None:
    usual, rare = bundle_columns(pairs, LOGITS), bundle_columns(pairs, LOGITS, prevalence=0.001)
    odds = usual["probability"] / (1 - usual["probability"])
    found = rare["probability"] / (1 - rare["probability"])
    np.testing.assert_allclose(found, odds * 0.001 / 0.999)
    assert (rare["prediction"] == usual["prediction"]).all()


def test_sets_hold_the_classes_that_are_not_too_strange(pairs: Bundle) -> None:
    columns = bundle_columns(pairs, LOGITS, error_rate=0.1)
    assert columns["set"][0] == "0"
    assert columns["set"][6] == "0,1"
    assert columns["set"][-1] == "1"
    sets = prediction_sets(pairs, LOGITS, 0.1)
    rare = bundle_columns(pairs, LOGITS, error_rate=0.1, prevalence=0.001)
    assert rare["set"] == columns["set"]
    assert [sets[k].sum() for k in (0, 6)] == [1, 2]


def test_both_prevalences_are_said(pairs: Bundle, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="peftide"):
        check_answer_options(pairs, prevalence=0.001)
    assert "for 0.001 positives in 1 instead of 0.5" in caplog.text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"error_rate": 0.0}, "--error-rate: received 0.0; expected a number above 0, below 1"),
        ({"prevalence": 1.5}, "--prevalence: received 1.5; expected a number above 0, below 1"),
        ({"prevalence": float("nan")}, "--prevalence: received nan"),
    ],
)
def test_a_share_must_be_one(pairs: Bundle, options: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_answer_options(pairs, **options)


def test_numbers_have_neither_sets_nor_prevalence(trained: Trained) -> None:
    bundle = load_bundle(trained("regression", "head") / "model")
    with pytest.raises(InputError, match=r"--error-rate: .* regression has no prediction sets"):
        check_answer_options(bundle, error_rate=0.1)
    with pytest.raises(InputError, match=r"--prevalence: .* regression has no probability of yes"):
        check_answer_options(bundle, prevalence=0.1)


def test_an_old_model_assumes_the_share_of_its_training_labels(pairs: Bundle) -> None:
    counts = dataclasses.replace(pairs.labels, class_counts=(30.0, 10.0))
    old = dataclasses.replace(pairs, calibration=Calibration(), labels=counts, conformal=None)
    assert assumed_prevalence(old) == 0.25
    with pytest.raises(InputError, match="no prediction sets"):
        check_answer_options(old, error_rate=0.1)


def test_classes_have_sets_of_names(trained: Trained) -> None:
    bundle = load_bundle(trained("symmetry", "head") / "model")
    logits = np.zeros((2, len(bundle.labels.class_names)), dtype=np.float32)
    columns = bundle_columns(bundle, logits, error_rate=0.1)
    assert set(columns["set"][0].split(",")) <= set(bundle.labels.class_names)
    assert len(columns["set"]) == 2
