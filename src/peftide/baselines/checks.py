"""Checks of the input of every baseline of pairs and sequences."""

import numpy as np

from peftide.errors import InputError
from peftide.outcomes import Outcome
from peftide.types import FloatArray, IntArray


def check_members(members: IntArray, proteins: int) -> None:
    """Raise unless each row names one or two of the proteins.

    Raises
    ------
    InputError
        If that is not so, or there is no row.
    """
    if members.ndim != 2 or members.shape[1] not in (1, 2) or not len(members):
        raise InputError(
            f"members of shape {members.shape}", expected="(B, 1) or (B, 2) with at least one row"
        )
    if members.min() < 0 or members.max() >= proteins:
        raise InputError(
            f"members from {members.min()} to {members.max()}",
            expected=f"indices 0 to {proteins - 1}, one for each of {proteins} sequences",
        )


def check_as_fitted(members: IntArray, proteins_per_example: int) -> None:
    """Raise if a baseline was fitted on rows of another number of proteins.

    Raises
    ------
    InputError
        If that is so.
    """
    if members.shape[1] != proteins_per_example:
        raise InputError(
            f"{members.shape[1]} protein(s) per example",
            expected=f"{proteins_per_example}, as in the train part",
        )


def checked_targets(targets: np.ndarray, rows: int, outcome: Outcome) -> np.ndarray:
    """Return targets as int64 (classes) or float64 (values) after checking shape and content.

    Raises
    ------
    InputError
        If they do not fit the rows or the outcome.

    Examples
    --------
    >>> from peftide.outcomes import OUTCOMES
    >>> checked_targets(np.array([True, False]), 2, OUTCOMES["binary"])
    array([1, 0])
    """
    axes = 2 if outcome.has_classes else 1
    if targets.ndim != axes or len(targets) != rows:
        raise InputError(
            f"targets of shape {targets.shape} for {rows} examples",
            expected="(B, K) class memberships" if axes == 2 else "(B,), one per example",
        )
    return outcome.shallow.checked(targets)


def as_answers(columns: FloatArray, outcome: Outcome) -> FloatArray:
    """Return answers without the axis of columns if the outcome has only one.

    Examples
    --------
    >>> from peftide.outcomes import OUTCOMES
    >>> as_answers(np.array([[0.5]]), OUTCOMES["continuous"])
    array([0.5])
    """
    return columns if outcome.has_classes else columns[:, 0]
