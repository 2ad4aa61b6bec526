import json

import numpy as np
import pytest
from scipy.special import expit, logit, softmax
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import log_loss

from peftide.evaluation.calibration import Calibration, fit_calibration, losses, prevalence_offset
from peftide.tasks import TASKS

GENERATOR = np.random.default_rng(0)
TRUE_LOGITS = GENERATOR.normal(scale=2, size=(4000, 1))
LABELS = (GENERATOR.random((4000, 1)) < expit(TRUE_LOGITS)).astype(float)
ROWS = np.arange(4000)


def fitted(method: str, logits: np.ndarray, labels: np.ndarray = LABELS) -> Calibration:
    methods = TASKS["ppi" if labels.shape[1] == 1 else "symmetry"].outcome.calibrations
    return fit_calibration(method, logits, labels, methods=methods, groups=np.arange(len(labels)))


def test_the_temperature_of_an_overconfident_model_is_found() -> None:
    assert fitted("temperature", 3 * TRUE_LOGITS).temperature == pytest.approx(3, rel=0.08)


def test_no_other_temperature_has_a_lower_loss() -> None:
    logits = 3 * TRUE_LOGITS
    best = fitted("temperature", logits).temperature
    reference = [
        log_loss(LABELS[:, 0], expit(logits[:, 0] / t)) for t in (best, best * 0.98, best * 1.02)
    ]
    assert reference[0] == min(reference)


def test_several_classes_share_one_temperature() -> None:
    logits = GENERATOR.normal(scale=2, size=(4000, 3))
    classes = [GENERATOR.choice(3, p=row) for row in softmax(logits, axis=1)]
    found = fitted("temperature", logits / 2, np.eye(3)[classes])
    assert found.temperature == pytest.approx(0.5, rel=0.08)


def test_losses_are_those_of_sklearn() -> None:
    assert losses(TRUE_LOGITS, LABELS).mean() == pytest.approx(
        log_loss(LABELS[:, 0], expit(TRUE_LOGITS[:, 0]))
    )
    logits, classes = GENERATOR.normal(size=(50, 3)), GENERATOR.integers(0, 3, 50)
    assert losses(logits, np.eye(3)[classes]).mean() == pytest.approx(
        log_loss(classes, softmax(logits, axis=1), labels=[0, 1, 2])
    )


def test_isotonic_steps_are_those_of_sklearn_and_keep_every_order() -> None:
    warped = TRUE_LOGITS**3
    found = fitted("isotonic", warped).apply(warped)
    reference = IsotonicRegression().fit_transform(warped[:, 0], LABELS[:, 0])
    inside = (reference > 0.01) & (reference < 0.99)
    np.testing.assert_allclose(expit(found[inside, 0]), reference[inside], atol=0.01)
    order = np.argsort(warped[:, 0])
    assert (np.diff(found[order, 0]) > 0).all()


def test_isotonic_probabilities_are_never_zero_or_one() -> None:
    logits = np.array([[-1.0], [1.0]] * 10)
    found = fitted("isotonic", logits, (logits > 0).astype(float))
    assert 0.01 < expit(found.apply(np.array([[-50.0]])))[0, 0] < 0.1


@pytest.mark.parametrize(
    ("logits", "method"),
    [
        (3 * TRUE_LOGITS, "temperature"),
        (np.where(TRUE_LOGITS > 0, 6, 0.2) * TRUE_LOGITS + 4, "isotonic"),
    ],
    ids=["stretched", "bent"],
)
def test_what_is_best_on_held_out_rows_is_chosen(logits: np.ndarray, method: str) -> None:
    assert fitted("auto", logits).method == method


def test_with_very_few_groups_nothing_is_fitted() -> None:
    methods = TASKS["ppi"].outcome.calibrations
    few = fit_calibration("auto", TRUE_LOGITS, LABELS, methods=methods, groups=ROWS % 4)
    assert few.method == "none"


def test_constant_logits_are_calibrated_to_the_share_at_most() -> None:
    constant = np.full((100, 1), 0.5)
    labels = np.repeat([[1.0], [0.0]], [30, 70], axis=0)
    assert np.isfinite(fitted("auto", constant, labels).apply(constant)).all()
    isotonic = fitted("isotonic", constant, labels).apply(constant)
    assert expit(isotonic[0, 0]) == pytest.approx(0.3, abs=0.001)


def test_numbers_have_no_calibration() -> None:
    methods = TASKS["regression"].outcome.calibrations
    found = fit_calibration("auto", TRUE_LOGITS, LABELS, methods=methods, groups=ROWS)
    assert (found.apply(TRUE_LOGITS) == TRUE_LOGITS).all()


@pytest.mark.parametrize("method", ["none", "temperature", "isotonic"])
def test_a_stored_calibration_gives_the_same_bits(method: str) -> None:
    found = fitted(method, 3 * TRUE_LOGITS).with_prior((0.25, 0.75))
    again = Calibration.from_json(json.loads(json.dumps(found.as_json())))
    assert again == found
    assert (again.apply(TRUE_LOGITS) == found.apply(TRUE_LOGITS)).all()


def test_a_record_without_calibration_changes_nothing() -> None:
    assert (Calibration.from_json(None).apply(TRUE_LOGITS) == TRUE_LOGITS).all()


def test_an_offset_turns_one_prevalence_into_another() -> None:
    """Reference: Bayes. Positives and negatives are each kept with another frequency."""
    probability, assumed, wanted = 0.8, 0.5, 0.01
    yes, no = probability * wanted / assumed, (1 - probability) * (1 - wanted) / (1 - assumed)
    found = expit(logit(probability) + prevalence_offset(assumed=assumed, wanted=wanted))
    assert found == pytest.approx(yes / (yes + no))
    assert prevalence_offset(assumed=0.3, wanted=0.3) == 0
