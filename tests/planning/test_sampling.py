import numpy as np
import pytest

from peftide.engine.blocks import Batch
from peftide.planning.sampling import random_rows, sampled_sequences, shortened, some_of, work_of
from peftide.tasks import TASKS
from tests.conftest import random_sequences
from tests.planning.conftest import Begin

SEQUENCES = random_sequences(60, seed=1)


@pytest.mark.parametrize("task", TASKS)
def test_a_share_of_a_problem_is_a_problem(begin: Begin, task: str) -> None:
    problem = begin(task, "head")[0].problem
    some = some_of(problem, 0.5)
    counts = {part: len(examples) for part, examples in some.dataset.parts.items()}
    assert counts == {"train": 12, "validation": 8, "test": 8}
    for part, examples in some.dataset.parts.items():
        lengths = [len(some.dataset.proteins.sequences[p]) for p in examples.members[:, 0]]
        rows = lengths if TASKS[task].level == "residue" else [1] * len(examples)
        assert np.diff(some.targets[part].offsets).tolist() == rows
        assert len(some.targets[part].values) == len(some.targets[part].counted) == sum(rows)


def test_sampled_sequences_are_of_all_lengths(begin: Begin) -> None:
    encoder = begin("regression", "lora", max_tokens=64)[0].encoder
    assert sorted(sampled_sequences(encoder, SEQUENCES, 5.0)) == sorted(SEQUENCES)
    some = {len(text) for text in sampled_sequences(encoder, SEQUENCES, 0.4)}
    everyone = {len(text) for text in SEQUENCES}
    assert max(some) == max(everyone)
    assert min(some) < np.median(list(everyone))
    assert len(sampled_sequences(encoder, SEQUENCES, 1e-6)) == 1


def test_a_part_of_a_batch_of_a_recurrent_network_has_all_its_sequences(begin: Begin) -> None:
    encoder = begin("regression", "lora", backbone="random:unirep_64")[0].encoder
    some = sampled_sequences(encoder, SEQUENCES, 0.5)
    tokens = encoder.tokens(SEQUENCES)
    half = round(tokens.max() / 2)
    assert sorted(map(len, some)) == np.sort(np.minimum(tokens, half)).tolist()
    assert len(set(some)) == len(SEQUENCES)
    assert sorted(sampled_sequences(encoder, SEQUENCES, 1.0)) == sorted(SEQUENCES)


def test_work_grows_with_tokens_and_their_square(begin: Begin) -> None:
    encoder = begin("regression", "lora")[0].encoder
    width = encoder.model.backbone.width
    assert work_of(encoder, ["M" * 10]).tolist() == [12 * (6 * width + 12)]


def test_a_shortened_block_of_pairs_is_a_block() -> None:
    pairs = np.array([(a, b) for a in range(10) for b in range(10, 20)])
    pairs = np.random.default_rng(0).permutation(pairs)
    every = Batch(np.arange(100))
    whole = shortened(every, pairs, work=np.ones(20), most=20)
    assert len(whole) == 100
    some = shortened(every, pairs, work=np.ones(20), most=15)
    assert len(some.encoded(pairs)) == 15
    assert len(some) == 10 * 5
    assert len(shortened(every, pairs, work=np.ones(20), most=0)) == 1


def test_a_shortened_block_of_proteins_keeps_all_pairs_of_the_rest() -> None:
    pairs = np.array([(a, b) for a in range(10) for b in range(10, 20)])
    block = Batch(np.arange(100), np.arange(10))
    some = shortened(block, pairs, work=np.ones(20), most=3)
    assert some.encoded(pairs).tolist() == [0, 1, 2]
    assert sorted(some.examples.tolist()) == list(range(30))
    assert shortened(block, pairs, work=np.ones(20), most=0).encoded(pairs).tolist() == [0]


def test_made_up_rows_are_as_many_as_the_real_ones(begin: Begin) -> None:
    encoder = begin("residue", "head")[0].encoder
    found = random_rows(encoder, ["MKV", "WW"])
    assert found.rows.shape == (5, encoder.model.backbone.width)
    assert found.offsets.tolist() == [0, 3, 5]
    assert len(found.rows.unique(dim=0)) == 5
