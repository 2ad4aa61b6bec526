import numpy as np
import pytest

from peftide.engine.blocks import Batch, block_batches, choose_blocks, has_many_partners, sides


def random_pairs(pairs: int, proteins: int, seed: int = 0) -> np.ndarray:
    """Return pairs of proteins whose numbers have gaps; the first three are self-pairs."""
    members = 7 + 3 * np.random.default_rng(seed).integers(0, proteins, size=(pairs, 2))
    members[:3, 1] = members[:3, 0]
    return members


@pytest.mark.parametrize("blocks", [1, 2, 5, 40])
@pytest.mark.parametrize("seed", [0, 1])
def test_every_protein_is_in_one_block_with_all_its_pairs(blocks: int, seed: int) -> None:
    members = random_pairs(500, 40)
    batches = block_batches(members, blocks, np.random.default_rng(seed))
    assert len(batches) == blocks
    encoded = np.concatenate([batch.encoded(members) for batch in batches])
    assert sorted(encoded.tolist()) == np.unique(members).tolist()
    sizes = [len(batch.encoded(members)) for batch in batches]
    assert max(sizes) - min(sizes) <= 1
    for batch in batches:
        inside = np.isin(members, batch.encoded(members)).sum(axis=1)
        assert np.bincount(batch.examples, minlength=500).tolist() == inside.tolist()


def test_batches_do_not_come_in_the_order_of_the_table() -> None:
    members = random_pairs(2000, 50)
    first, other = (block_batches(members, 4, np.random.default_rng(s)) for s in (0, 1))
    assert not np.array_equal(first[0].examples, other[0].examples)
    assert not np.array_equal(first[0].examples, np.sort(first[0].examples))


def test_a_batch_of_pairs_encodes_the_proteins_of_its_pairs() -> None:
    members = np.array([[4, 2], [9, 9], [1, 4]])
    assert Batch(np.array([0, 1])).encoded(members).tolist() == [2, 4, 9]


def test_sides_name_the_pair_and_the_place_of_a_protein() -> None:
    members = np.array([[5, 6], [7, 7], [6, 5], [8, 9]])
    pairs, places = sides(np.array([1, 2, 3]), members, np.array([5, 7]))
    assert list(zip(pairs.tolist(), places.tolist(), strict=True)) == [(1, 0), (1, 1), (2, 1)]


def ring(degree: int, proteins: int = 2100) -> np.ndarray:
    """Return pairs in which every protein has the same number of partners."""
    others = [np.roll(np.arange(proteins), -step) for step in range(1, degree // 2 + 1)]
    return np.concatenate([np.stack([np.arange(proteins), other], axis=1) for other in others])


@pytest.mark.parametrize(("epochs", "blocks"), [(20, 16), (2, 16), (1, 32)])
def test_a_short_training_gets_more_blocks_and_so_more_steps(epochs: int, blocks: int) -> None:
    assert choose_blocks(epochs) == blocks
    assert epochs * blocks >= 32


def test_blocks_are_made_if_proteins_have_several_partners() -> None:
    assert not has_many_partners(ring(2))
    assert has_many_partners(ring(4))
    star = np.stack([np.zeros(9, dtype=int), np.arange(1, 10)], axis=1)
    assert not has_many_partners(star)
    assert not has_many_partners(np.array([[3, 3], [5, 5]]))
