import numpy as np

from peftide.baselines import Homologues, find_homologues
from tests.conftest import random_sequences


def test_relatives_are_found_and_strangers_are_not() -> None:
    families = random_sequences(6, lengths=(120, 150))
    relatives = ["".join("A" if k % 5 == 0 else c for k, c in enumerate(s)) for s in families]
    found = find_homologues([*relatives, "MKV"], families)
    assert found.starts.tolist() == [0, 1, 2, 3, 4, 5, 6, 6]
    assert found.target.tolist() == list(range(6))
    shares = [
        sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
        for one, other in zip(relatives, families, strict=True)
    ]
    np.testing.assert_allclose(found.highest(), [*shares, 0.0], atol=0.05)


def test_the_highest_identity_of_each() -> None:
    identities = np.array([0.4, 0.9, 0.5])
    starts, targets = np.array([0, 0, 2, 3]), np.array([5, 6, 5])
    found = Homologues(starts, targets, identities, identities, identities)
    assert found.highest().tolist() == [0, 0.9, 0.5]
    assert found.query.tolist() == [1, 1, 2]
