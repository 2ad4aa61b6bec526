import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import log_loss as reference_log_loss

from peftide.baselines import penalised
from peftide.baselines.penalised import PenalisedModel, fit_penalised, fit_ridge, log_loss
from peftide.errors import InputError
from peftide.outcomes.shallow import RIDGE_PENALTIES


def table(rows: int, columns: int) -> tuple[csr_matrix, np.ndarray]:
    """Return sparse features, and values that depend on them."""
    generator = np.random.default_rng(0)
    features = (generator.random((rows, columns)) < 0.2).astype(np.float64)
    values = features @ generator.normal(size=columns) + generator.normal(size=rows)
    return csr_matrix(features), values


@pytest.mark.parametrize(("rows", "columns"), [(80, 20), (20, 80), (40, 40)])
def test_ridge_equals_scikit_learn(
    rows: int, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Weights, intercept, penalty and leave-one-out error, with more rows or more features."""
    monkeypatch.setattr(penalised, "BLOCK", 16)
    features, values = table(rows, columns)
    found, wanted = fit_ridge(features, values), RidgeCV(alphas=RIDGE_PENALTIES)
    wanted.fit(features.toarray(), values)
    assert found.penalty == wanted.alpha_
    np.testing.assert_allclose(found.weights, np.asarray(wanted.coef_), atol=1e-9)
    assert found.intercept == pytest.approx(wanted.intercept_)
    assert found.error == pytest.approx(-np.asarray(wanted.best_score_))


def test_log_loss_equals_scikit_learn() -> None:
    answers, labels = np.array([0.1, 0.8, 0.4]), np.array([0, 1, 1])
    assert log_loss(answers, labels) == pytest.approx(reference_log_loss(labels, answers))


def test_a_factor_of_the_features_is_a_penalty() -> None:
    """Weights are those of a logistic regression with C = factor² on the features themselves."""
    features, values = table(60, 5)
    labels, rows = (values > 0).astype(np.int64), np.arange(60)[:, None]
    found = fit_penalised(features, rows, labels, kind="binary", scalings=[np.ones(5)])
    close = [
        np.abs(LogisticRegression(C=scale**2).fit(features, labels).coef_ - found.weights).max()
        for scale in penalised.SCALES
    ]
    assert min(close) < 1e-3


def test_the_candidate_that_predicts_best_is_taken() -> None:
    """The second feature is noise, and one candidate leaves it out."""
    generator = np.random.default_rng(1)
    features = np.column_stack([np.repeat([0.0, 1.0], 40), generator.normal(size=80) * 5])
    rows = np.arange(80)[:, None]
    scalings = [np.array([0.0, 1.0]), np.array([1.0, 0.0])]
    for kind in ("binary", "continuous"):
        labels = np.repeat([0, 1], 40)
        given = labels.astype(float) if kind == "continuous" else labels
        found = fit_penalised(csr_matrix(features), rows, given, kind=kind, scalings=scalings)
        assert found.weights[0, 0] > 0
        assert found.weights[0, 1] == 0


def test_many_classes_are_refused() -> None:
    with pytest.raises(InputError, match="at most 64 classes, and there are 65"):
        fit_penalised(
            csr_matrix(np.eye(65)),
            np.arange(65)[:, None],
            np.eye(65, dtype=np.int64),
            kind="categorical",
            scalings=[np.ones(65)],
        )


def test_numbers_come_back() -> None:
    features, values = table(20, 4)
    rows = np.arange(20)[:, None]
    found = fit_penalised(features, rows, values, kind="continuous", scalings=[np.ones(4)])
    again = PenalisedModel.from_arrays(found.arrays(), kind="continuous")
    np.testing.assert_array_equal(found.predict(features, rows), again.predict(features, rows))
