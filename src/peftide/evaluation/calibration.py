"""Logits of a validation part → a map of logits to calibrated logits, and back from a file.

Every map is strictly increasing, so it changes neither the order of binary answers nor the most
probable class. A calibration holds only numbers and is stored as text.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax, logit

Logits = NDArray[np.float64]
FOLDS = 5
TEMPERATURES = (0.02, 50.0)
TIE_SLOPE = 1e-3  # isotonic steps are flat; adding a small share of the logit keeps the order


@dataclass(frozen=True)
class Calibration:
    """A map of logits to calibrated logits.

    Attributes
    ----------
    method
        none, temperature or isotonic.
    temperature
        Divisor of the logits.
    knots, levels
        Isotonic: logits, and the calibrated logit at each; linear interpolation between them.
    prior
        Share of each class that the probabilities assume; empty if unknown.
    """

    method: str = "none"
    temperature: float = 1.0
    knots: tuple[float, ...] = ()
    levels: tuple[float, ...] = ()
    prior: tuple[float, ...] = ()

    def apply(self, logits: NDArray[Any]) -> Logits:
        """Return calibrated logits. Shape (R, K), as given."""
        logits = np.asarray(logits, dtype=np.float64)
        if self.method == "isotonic":
            return np.interp(logits, self.knots, self.levels) + TIE_SLOPE * logits
        return logits / self.temperature

    def with_prior(self, prior: tuple[float, ...]) -> "Calibration":
        """Return the same map, with the share of each class that its probabilities assume."""
        return replace(self, prior=prior)

    def summary(self) -> dict[str, Any]:
        """Return the summary for `metrics.json` and the report."""
        shown: dict[str, Any] = {"method": self.method}
        if self.method == "temperature":
            shown["temperature"] = self.temperature
        return shown

    def as_json(self) -> dict[str, Any]:
        """Return the calibration as plain values for a record."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any] | None) -> "Calibration":
        """Return the calibration in a record; without a record, the identity map."""
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in (record or {}).items()
        }
        return cls(**values)


def fit_calibration(
    method: str,
    logits: NDArray[Any],
    values: NDArray[Any],
    *,
    methods: tuple[str, ...],
    groups: NDArray[Any],
) -> Calibration:
    """Yield a calibration fitted on validation rows.

    Parameters
    ----------
    method
        none, temperature, isotonic; or auto: the method with the lowest negative log-likelihood in
        five-fold cross-validation. Ties go to the simplest method.
    logits
        Shape (R, K).
    values
        0 or 1 (binary), or class membership that sums to 1. Shape (R, K).
    methods
        Methods that suit the outcome, the simplest first.
    groups
        Group of each row, for instance its sequence. A group stays in one fold. Shape (R,).

    Examples
    --------
    >>> logits = np.array([[4.0], [-4.0], [4.0], [-4.0]])
    >>> values = np.array([[1], [0], [0], [1]])
    >>> methods = ("none", "temperature")
    >>> found = fit_calibration(
    ...     "temperature", logits, values, methods=methods, groups=np.arange(4)
    ... )
    >>> found.temperature > 10
    True
    """
    logits = np.asarray(logits, dtype=np.float64)
    if method == "auto":
        method = _best_method(methods, logits, values, groups=groups)
    return _fit(method if method in methods else "none", logits, values)


def _best_method(
    methods: tuple[str, ...], logits: Logits, values: NDArray[Any], *, groups: NDArray[Any]
) -> str:
    """Return the method with the lowest loss on rows that it was not fitted on."""
    numbers = np.unique(groups, return_inverse=True)[1]
    if len(methods) == 1 or numbers.max() + 1 < FOLDS:
        return methods[0]
    folds = np.random.default_rng(0).permutation(numbers.max() + 1) % FOLDS
    fold = folds[numbers]
    losses = {method: _held_out_loss(method, logits, values, fold=fold) for method in methods}
    return min(losses, key=lambda method: losses[method])


def _held_out_loss(
    method: str, logits: Logits, values: NDArray[Any], *, fold: NDArray[np.int64]
) -> float:
    total = 0.0
    for k in range(FOLDS):
        fitted = _fit(method, logits[fold != k], values[fold != k])
        held_out = fold == k
        total += float(losses(fitted.apply(logits[held_out]), values[held_out]).sum())
    return total


def losses(logits: Logits, values: NDArray[Any]) -> Logits:
    """Yield the negative log-likelihood of each row.

    Parameters
    ----------
    logits
        Logit of the positive class (K = 1), or of each class. Shape (R, K).
    values
        0 or 1, or class membership that sums to 1. Shape (R, K).

    Examples
    --------
    >>> losses(np.zeros((1, 1)), np.ones((1, 1))).round(4).tolist()
    [0.6931]
    """
    if logits.shape[1] == 1:
        z, y = logits[:, 0], values[:, 0]
        return -(y * log_expit(z) + (1 - y) * log_expit(-z))
    return -(values * log_softmax(logits, axis=1)).sum(axis=1)


def _fit(method: str, logits: Logits, values: NDArray[Any]) -> Calibration:
    if method == "temperature":
        return _fit_temperature(logits, values)
    return _fit_isotonic(logits, values) if method == "isotonic" else Calibration()


def _fit_temperature(logits: Logits, values: NDArray[Any]) -> Calibration:
    """Return the temperature with the lowest loss (Guo et al. 2017, arXiv 1706.04599, eq. 9)."""
    from scipy.optimize import minimize_scalar  # slow to load

    def loss(log_temperature: float) -> float:
        return float(losses(logits / np.exp(log_temperature), values).mean())

    bounds = tuple(np.log(TEMPERATURES))
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-5})
    return Calibration("temperature", temperature=float(np.exp(best.x)))


def _fit_isotonic(logits: Logits, values: NDArray[Any]) -> Calibration:
    """Return the best monotone steps, kept away from 0 and 1 by the weight of one example."""
    from sklearn.isotonic import IsotonicRegression

    margin = 1 / (len(values) + 2)
    steps = IsotonicRegression(y_min=margin, y_max=1 - margin).fit(logits[:, 0], values[:, 0])
    levels = logit(np.asarray(steps.y_thresholds_, dtype=np.float64))
    knots = np.asarray(steps.X_thresholds_, dtype=np.float64)
    return Calibration("isotonic", knots=tuple(knots.tolist()), levels=tuple(levels.tolist()))


def prevalence_offset(*, assumed: float, wanted: float) -> float:
    """Return the offset that corrects the logit of positives for another share of positives.

    The offset is exact if only the shares of positives and negatives differ, not their features
    (Saerens et al. 2002, doi 10.1162/089976602753284446, eq. 2.4).

    Parameters
    ----------
    assumed
        Share of positives that the probabilities assume.
    wanted
        Share of positives among the rows to predict.

    Examples
    --------
    >>> round(prevalence_offset(assumed=0.5, wanted=0.001), 3)
    -6.907
    """
    return float(logit(wanted) - logit(assumed))
