import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from peftide.baselines import linear
from peftide.baselines.linear import fit_linear, pair_features

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(40, 5))
PAIRS = GENERATOR.integers(0, 40, (200, 2))
SINGLES = np.arange(40)[:, None]


def by_hand(features: np.ndarray, members: np.ndarray) -> np.ndarray:
    """Return [mean, |a - b|, a * b], row by row. Shape (B, 3 D)."""
    rows = [(features[a], features[b]) for a, b in members]
    return np.array([np.r_[(x + y) / 2, np.abs(x - y), x * y] for x, y in rows])


def test_pair_features_equal_the_formula() -> None:
    np.testing.assert_allclose(pair_features(FEATURES, PAIRS), by_hand(FEATURES, PAIRS))


@pytest.mark.parametrize("classes", [2, 4])
def test_classes_equal_sklearn(classes: int) -> None:
    """Of two classes scikit-learn has one row of coefficients, of more one row each."""
    labels = GENERATOR.integers(0, classes, 40)
    standardised = (FEATURES - FEATURES.mean(axis=0)) / FEATURES.std(axis=0)
    reference = LogisticRegression(max_iter=2_000).fit(standardised, labels)
    membership = np.eye(classes + 1, dtype=np.int64)[labels]  # the last class never occurs
    found = fit_linear(FEATURES, SINGLES, membership, kind="categorical").predict(FEATURES, SINGLES)
    np.testing.assert_allclose(found[:, :-1], reference.predict_proba(standardised), rtol=1e-4)
    assert not found[:, -1].any()


def test_rows_are_answered_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = GENERATOR.integers(0, 2, len(PAIRS))
    model = fit_linear(FEATURES, PAIRS, labels, kind="binary")
    whole = model.predict(FEATURES, PAIRS)
    monkeypatch.setattr(linear, "BLOCK", 7)
    np.testing.assert_allclose(model.predict(FEATURES, PAIRS), whole, rtol=1e-12)


def test_constant_values_are_answered() -> None:
    model = fit_linear(FEATURES, SINGLES, np.full(40, 2.5), kind="continuous")
    np.testing.assert_allclose(model.predict(FEATURES, SINGLES), 2.5)


def test_single_precision_features_stay_in_single_precision() -> None:
    features = FEATURES.astype(np.float32)
    model = fit_linear(features, SINGLES, GENERATOR.integers(0, 2, 40), kind="binary")
    assert model.mean.dtype == model.deviation.dtype == np.float32
