import numpy as np
import pytest

from peftide.engine.blocks import block_batches, choose_blocks


def random_pairs(pairs: int, proteins: int, seed: int = 0) -> np.ndarray:
    """Return pairs of proteins whose numbers have gaps; the first three are self-pairs."""
    members = 7 + 3 * np.random.default_rng(seed).integers(0, proteins, size=(pairs, 2))
    members[:3, 1] = members[:3, 0]
    return members


@pytest.mark.parametrize("blocks", [1, 2, 5, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_pair_is_in_one_batch_of_at_most_two_blocks(blocks: int, seed: int) -> None:
    members = random_pairs(500, 40)
    batches = block_batches(members, blocks, np.random.default_rng(seed))
    assert np.sort(np.concatenate(batches)).tolist() == list(range(500))
    assert all(len(batch) for batch in batches)
    assert len(batches) <= blocks * (blocks + 1) // 2
    largest = -(-len(np.unique(members)) // blocks)
    assert max(len(np.unique(members[batch])) for batch in batches) <= 2 * largest


def test_blocks_bound_how_often_a_protein_is_encoded() -> None:
    members = random_pairs(5000, 60)
    batches = block_batches(members, 6, np.random.default_rng(0))
    encoded = np.concatenate([np.unique(members[batch]) for batch in batches])
    assert np.unique(encoded, return_counts=True)[1].max() <= 6


def test_batches_do_not_come_in_the_order_of_the_table() -> None:
    members = random_pairs(2000, 50)
    orders = [np.concatenate(block_batches(members, 4, np.random.default_rng(s))) for s in (0, 1)]
    assert not np.array_equal(orders[0], orders[1])
    inside = block_batches(members, 4, np.random.default_rng(0))[0]
    assert not np.array_equal(inside, np.sort(inside))


def ring(degree: int, proteins: int = 2100) -> np.ndarray:
    """Return pairs in which every protein has the same number of partners."""
    others = [np.roll(np.arange(proteins), -step) for step in range(1, degree // 2 + 1)]
    return np.concatenate([np.stack([np.arange(proteins), other], axis=1) for other in others])


@pytest.mark.parametrize(
    ("degree", "blocks"), [(2, 1), (4, 1), (10, 4), (64, 8), (80, 10), (1000, 16)]
)
def test_the_number_of_blocks_follows_the_partners_of_a_protein(degree: int, blocks: int) -> None:
    assert choose_blocks(ring(degree), 20) == blocks


@pytest.mark.parametrize(("epochs", "blocks"), [(20, 4), (7, 5), (2, 8), (1, 12)])
def test_a_short_training_gets_more_blocks_and_so_more_steps(epochs: int, blocks: int) -> None:
    assert choose_blocks(ring(20), epochs) == blocks
    assert epochs * blocks * (blocks + 1) // 2 >= 72


def test_blocks_that_would_encode_as_often_as_pairs_are_not_made() -> None:
    assert choose_blocks(ring(12), 1) == 1
    assert choose_blocks(ring(14), 1) == 12
