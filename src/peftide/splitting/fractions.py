"""The wished shares of train, validation and test come in; they go out checked."""

from collections.abc import Sequence

import numpy as np

from peftide.errors import InputError
from peftide.types import FloatArray

TOLERANCE = 1e-6


def check_fractions(fractions: Sequence[float]) -> FloatArray:
    """Return the shares of train, validation and test as an array of shape (3,).

    Raises
    ------
    InputError
        If they are not three shares that add up to 1, or train has none.

    Examples
    --------
    >>> check_fractions((0.8, 0.1, 0.1)).tolist()
    [0.8, 0.1, 0.1]
    """
    shares = np.array(fractions, dtype=np.float64)
    sound = len(shares) == 3 and (shares >= 0).all() and abs(shares.sum() - 1) < TOLERANCE
    if not sound or not 0 < shares[0] < 1:
        raise InputError(
            f"received {','.join(f'{share:g}' for share in fractions)}",
            expected="shares of train, validation and test that add up to 1, such as 0.8,0.1,0.1 "
            "(0 leaves out validation or test, not train)",
            where="--fractions",
        )
    return shares
