"""Point groups of copies that scipy's rotation groups make."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from peftide.databases.point_groups import order_of, point_group

CHAIN = np.random.default_rng(0).normal(size=(40, 3)) * 8 + np.array([60.0, 15.0, 25.0])
GROUPS = [*(f"C{n}" for n in (1, 2, 3, 4, 5, 6, 7, 11, 12)), *(f"D{n}" for n in (2, 3, 4, 6, 7))]
GROUPS += ["T", "O", "I"]


def copies_of(group: str, *, noise: float = 0.0) -> np.ndarray:
    """Return an assembly in any orientation and order, each copy a little deformed."""
    rng = np.random.default_rng(1)
    turns = Rotation.create_group(group)
    found = np.stack([turn.apply(CHAIN) for turn in turns])
    found += noise * rng.normal(size=found.shape)
    return (
        Rotation.from_euler("xyz", [20, 130, 75], degrees=True)
        .apply(found.reshape(-1, 3))
        .reshape(found.shape)
        + 100.0
    )


@pytest.mark.parametrize("group", GROUPS)
def test_the_group_is_found(group: str) -> None:
    found = copies_of(group, noise=0.5)
    assert point_group(found) == group
    shuffled = np.random.default_rng(3).permutation(len(found))
    assert point_group(found[shuffled]) == group


def test_copies_without_a_closed_group_have_none() -> None:
    pair = np.stack([CHAIN, CHAIN + [0, 0, 45.0]])
    assert point_group(pair) is None, "a shift, as in a crystal"
    helix = np.stack(
        [
            Rotation.from_rotvec([0, 0, np.radians(27 * k)]).apply(CHAIN) + [0, 0, 9 * k]
            for k in range(9)
        ]
    )
    assert point_group(helix) is None
    assert point_group(copies_of("C4")[:3]) is None, "one subunit is missing"


def test_a_turned_copy_of_a_dimer_is_still_a_dimer() -> None:
    off = Rotation.from_rotvec([0, 0, np.radians(177)])
    assert point_group(np.stack([CHAIN, off.apply(CHAIN)])) == "C2"
    assert point_group(np.stack([CHAIN, Rotation.from_rotvec([0, 0, 2.0]).apply(CHAIN)])) is None


@pytest.mark.parametrize(("angle", "order"), [(0, 1), (90.7, 4), (31, 12), (178, 2), (144, 0)])
def test_orders_of_imperfect_angles(angle: float, order: int) -> None:
    assert order_of(Rotation.from_rotvec([np.radians(angle), 0, 0]), 12) == order
