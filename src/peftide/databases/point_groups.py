"""Coordinates of the copies of one chain → their point group: C1, C2 …, D2 …, T, O or I.

A copy is superposed on every other one. The copies have a point group if each of these rotations
maps the whole assembly onto itself.
"""

from collections import Counter

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

from peftide.types import FloatArray

TOLERANCE = 7.0
"""Largest root-mean-square distance of a mapped copy from the nearest copy, in Å."""
WIDEST_ERROR = np.radians(5)
"""Largest deviation of an angle from that of an axis."""
AS_GOOD = np.radians(1)
"""A lower order is preferred if its angle fits by this much less."""
CUBIC = {12: "T", 24: "O", 60: "I"}
CUBIC_ORDER = {12: 3, 24: 4, 60: 5}
"""Number of copies of a cubic group → the highest order of its axes."""


def point_group(copies: Float[FloatArray, "N L 3"]) -> str | None:
    """Return the point group of an assembly; None if its copies have none.

    Parameters
    ----------
    copies
        Coordinates of the same L atoms in each of N copies, in Å.

    Examples
    --------
    >>> chain = np.random.default_rng(0).normal(size=(30, 3)) * 5 + [20, 0, 3]
    >>> thirds = Rotation.from_rotvec(np.radians([[0, 0, 0], [0, 0, 120], [0, 0, 240]]))
    >>> point_group(np.stack([turn.apply(chain) for turn in thirds]))
    'C3'
    """
    count = len(copies)
    if count == 1:
        return "C1"
    turns = []
    for copy in copies:
        turn, shift = superposition(copies[0], copy)
        if not _maps_onto_itself(copies, turn, shift):
            return None
        turns.append(turn)
    orders = [order_of(turn, count) for turn in turns]
    if 0 in orders:
        return None
    return _name(count, Counter(orders))


def _name(count: int, orders: Counter[int]) -> str | None:
    """Return the group with so many operations; `orders` counts their orders."""
    highest = max(orders)
    if highest == count:
        return f"C{count}"
    if count % 2 == 0 and highest == max(count // 2, 2) and orders[2] >= count // 2:
        return f"D{count // 2}"
    if count in CUBIC and highest == CUBIC_ORDER[count]:
        return CUBIC[count]
    return None


def superposition(
    first: Float[FloatArray, "L 3"], second: Float[FloatArray, "L 3"]
) -> tuple[Rotation, Float[FloatArray, " 3"]]:
    """Return rotation and shift that lay the first atoms on the second (Kabsch 1976)."""
    centres = first.mean(axis=0), second.mean(axis=0)
    turn = Rotation.align_vectors(second - centres[1], first - centres[0])[0]
    return turn, centres[1] - turn.apply(centres[0])


def _maps_onto_itself(
    copies: Float[FloatArray, "N L 3"], turn: Rotation, shift: Float[FloatArray, " 3"]
) -> bool:
    """Return whether the moved copies lie on all copies, one on each."""
    taken = set()
    for copy in copies:
        moved = turn.apply(copy) + shift
        distances = np.sqrt(((copies - moved) ** 2).sum(axis=2).mean(axis=1))
        nearest = int(distances.argmin())
        if distances[nearest] > TOLERANCE:
            return False
        taken.add(nearest)
    return len(taken) == len(copies)


def order_of(turn: Rotation, count: int) -> int:
    """Return how often a rotation is repeated until nothing has moved; 0 if it never ends.

    Parameters
    ----------
    count
        Number of operations of the group; every order divides it.

    Examples
    --------
    >>> [order_of(Rotation.from_rotvec([0, 0, np.radians(a)]), 6) for a in (0, 178, 118, 80)]
    [1, 2, 3, 0]
    """
    orders = np.array([n for n in range(1, count + 1) if count % n == 0])
    rest = (orders * turn.magnitude()) % (2 * np.pi)
    errors = np.minimum(rest, 2 * np.pi - rest) / orders
    best = int(np.argmax(errors <= errors.min() + AS_GOOD))
    return int(orders[best]) if errors[best] <= WIDEST_ERROR else 0
