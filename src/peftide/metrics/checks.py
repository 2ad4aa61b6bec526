"""Checks of the arrays of every metric: finite numbers, the right axes, at least one row."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from peftide.errors import InputError

FloatValues = NDArray[np.float64]
IntValues = NDArray[np.int64]


def finite_array(values: ArrayLike, name: str, *, axes: str) -> FloatValues:
    """Return `values` as float64 after checking axes and content.

    Parameters
    ----------
    values
        Numbers with as many axes as `axes` has letters.
    name
        What the message calls them.
    axes
        Axis letters as in `peftide.types`, for instance "B K".

    Returns
    -------
    numpy.ndarray
        The same numbers in float64, so that a threshold compares alike for float32 scores.

    Raises
    ------
    InputError
        If they are not numbers, have other axes, are empty, or hold NaN or infinity.

    Examples
    --------
    >>> finite_array([0, 1], "scores", axes="B")
    array([0., 1.])
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name} that are not all numbers ({error})") from error
    wanted = axes.split()
    if array.ndim != len(wanted):
        raise InputError(
            f"{name} of shape {array.shape}", expected=f"{len(wanted)} axes ({', '.join(wanted)})"
        )
    if array.size == 0:
        raise InputError(f"no {name} (shape {array.shape})", expected="at least one")
    _reject_non_finite(array, name)
    return array


def _reject_non_finite(array: FloatValues, name: str) -> None:
    """Raise `InputError` that counts the entries which are NaN or infinite and names the first."""
    rows = np.nonzero(~np.isfinite(array))[0]
    if rows.size:
        raise InputError(
            f"{rows.size:,} of {array.size:,} {name} are NaN or infinite",
            expected="finite numbers",
            where=f"row {rows[0]} (from 0)",
        )


def zero_one_array(values: ArrayLike, name: str, *, axes: str) -> IntValues:
    """Return 0/1 or boolean `values` as int64.

    Raises
    ------
    InputError
        As `finite_array`, and if a value is neither 0 nor 1.

    Examples
    --------
    >>> zero_one_array([True, False], "labels", axes="B")
    array([1, 0])
    """
    array = finite_array(values, name, axes=axes)
    other = array[(array != 0) & (array != 1)]
    if other.size:
        raise InputError(f"{name} with the value {other[0]:g}", expected="0 or 1 only")
    return array.astype(np.int64)


def require_same_shape(first: NDArray, second: NDArray, names: tuple[str, str]) -> None:
    """Raise unless both arrays have one shape.

    Raises
    ------
    InputError
        If the shapes differ.

    Examples
    --------
    >>> require_same_shape(np.zeros(3), np.ones(3), ("labels", "probabilities"))
    """
    if first.shape != second.shape:
        raise InputError(
            f"{names[0]} of shape {first.shape} beside {names[1]} of shape {second.shape}",
            expected="the same shape for both",
        )
