"""What every baseline promises, whatever it knows."""

from pathlib import Path

import numpy as np
import pytest

from peftide.baselines import BASELINES, FittedOnProteins, SubstitutionScores
from peftide.baselines.stored import Stored, load_baselines, save_baselines
from peftide.outcomes import OUTCOMES
from peftide.types import Level
from tests.conftest import random_sequences

SEQUENCES = random_sequences(24, lengths=(40, 60))
FORMS = [
    (name, level, kind)
    for name, baseline in BASELINES.items()
    for level in ("pair", "sequence")
    for kind in OUTCOMES
    if baseline.suits(level, kind)
]


def rows_of(level: Level) -> np.ndarray:
    """Return rows of the first 16 proteins. Shape (B, A)."""
    generator = np.random.default_rng(0)
    return generator.integers(0, 16, (60, 2 if level == "pair" else 1))


def targets_of(kind: str, *, constant: bool = False) -> np.ndarray:
    """Return labels of 60 rows; constant ones have one class, or one value."""
    generator = np.random.default_rng(1)
    classes = np.zeros(60, dtype=np.int64) if constant else generator.integers(0, 3, 60)
    return {
        "binary": (classes > 0).astype(np.int64),
        "categorical": np.eye(3, dtype=np.int64)[classes],
        "multilabel": np.eye(4, dtype=np.int64)[classes],
        "continuous": classes + 0.5,
    }[kind]


def given(name: str) -> dict[str, SubstitutionScores]:
    """Return what `fit` reads besides rows and labels."""
    by_letter = np.random.default_rng(3).normal(size=(len(SEQUENCES[0]), 20))
    scores = {"scores": SubstitutionScores(SEQUENCES[0], by_letter)}
    return scores if BASELINES[name].reads_scores else {}


def fit(name: str, level: Level, kind: str, *, constant: bool = False) -> FittedOnProteins:
    targets = targets_of(kind, constant=constant)
    return BASELINES[name].fit(SEQUENCES, rows_of(level), targets, kind=kind, **given(name))


@pytest.mark.parametrize(("name", "level", "kind"), FORMS)
def test_every_row_is_answered_in_either_order_and_after_storing(
    tmp_path: Path, name: str, level: Level, kind: str
) -> None:
    """Asked about proteins of train and others: answers in range, one per row, order-free."""
    fitted = fit(name, level, kind)
    rows = np.random.default_rng(2).integers(0, 24, rows_of(level).shape)
    answers = fitted.predict(SEQUENCES, rows)
    assert answers.shape == targets_of(kind).shape
    assert answers.dtype == np.float64
    assert np.isfinite(answers).all()
    if kind != "continuous":
        assert 0 <= answers.min() <= answers.max() <= 1
    if kind == "categorical":
        np.testing.assert_allclose(answers.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(answers, fitted.predict(SEQUENCES, rows[:, ::-1].copy()))
    save_baselines(Stored({name: fitted}, {}, kind, rows.shape[1]), tmp_path / "b")
    stored = load_baselines(tmp_path / "b", BASELINES)
    assert stored is not None
    again = stored.fitted[name]
    assert isinstance(again, FittedOnProteins)
    np.testing.assert_array_equal(answers, again.predict(SEQUENCES, rows))


@pytest.mark.parametrize(("name", "level", "kind"), FORMS)
def test_constant_labels_and_few_proteins_get_an_answer(name: str, level: Level, kind: str) -> None:
    fitted = fit(name, level, kind, constant=True)
    answers = fitted.predict(["MKVLAAGIV", SEQUENCES[0]], rows_of(level)[:4] % 2)
    assert np.isfinite(answers).all()
    one = BASELINES[name].fit(
        ["MKV"],
        np.zeros((1, rows_of(level).shape[1]), dtype=np.int64),
        targets_of(kind)[:1],
        kind=kind,
        **given(name),
    )
    assert len(one.predict(["MKV", "W"], rows_of(level)[:4] % 2)) == 4
