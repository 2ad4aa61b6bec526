"""What every baseline of pairs and sequences asks of its input."""

from typing import Literal

import numpy as np

from peftide.errors import InputError
from peftide.types import IntArray

Kind = Literal["binary", "categorical", "multilabel", "continuous"]


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


def checked_targets(targets: np.ndarray, rows: int, kind: Kind) -> np.ndarray:
    """Return targets as int64 (classes) or float64 (values) after checking shape and content.

    Raises
    ------
    InputError
        If they do not fit the rows or the kind.

    Examples
    --------
    >>> checked_targets(np.array([True, False]), 2, "binary")
    array([1, 0])
    """
    axes = 2 if kind in ("categorical", "multilabel") else 1
    if targets.ndim != axes or len(targets) != rows:
        raise InputError(
            f"targets of shape {targets.shape} for {rows} examples",
            expected="(B, K) class memberships" if axes == 2 else "(B,), one per example",
        )
    if kind == "continuous":
        if not np.isfinite(targets).all():
            raise InputError("a target that is NaN or infinite", expected="finite values")
        return targets.astype(np.float64)
    if not np.isin(targets, (0, 1)).all():
        raise InputError(f"{kind} targets other than 0 and 1", expected="0 or 1 only")
    if kind == "categorical" and not targets.any(axis=1).all():
        raise InputError("an example without any class", expected="at least one per example")
    return targets.astype(np.int64)


def as_columns(targets: np.ndarray, kind: Kind) -> np.ndarray:
    """Return checked targets with one column per class or value; of yes and no, that of yes.

    Examples
    --------
    >>> as_columns(np.array([1, 0]), "binary").tolist()
    [[1], [0]]
    """
    return targets if kind in ("categorical", "multilabel") else targets[:, None]


def from_columns(answers: np.ndarray, kind: Kind) -> np.ndarray:
    """Return answers of one column without that axis, where the kind has one column only."""
    return answers if kind in ("categorical", "multilabel") else answers[:, 0]
