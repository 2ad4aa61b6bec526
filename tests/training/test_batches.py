import logging
from typing import Any

import numpy as np
import pytest

from peftide.distributed import Processes
from peftide.engine.blocks import Batch
from peftide.errors import InputError
from peftide.training.batches import check_shares, choose_batches, epoch_batches
from tests.training.conftest import Build, Fit


def test_batches_are_the_same_for_the_same_seed_and_epoch_only() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        batches = epoch_batches(np.arange(100), seed=seed, epoch=epoch, batch_size=7)
        return np.concatenate(batches).tolist()

    assert order(0, 0) == order(0, 0)
    assert sorted(order(0, 0)) == list(range(100))
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


@pytest.mark.parametrize(
    ("method", "options", "blocks"),
    [
        ("lora", {"blocks": 3}, 3),
        ("lora", {"blocks": 1000}, 24),  # one protein each
        ("lora", {"sampler": "blocks", "blocks": 2}, 2),
        ("lora", {"blocks": 1}, 1),  # one step per epoch
        ("lora", {"sampler": "blocks"}, 16),  # as asked, though they save nothing
        ("lora", {"sampler": "pairs", "blocks": 3}, 0),  # as asked
        ("lora", {}, 0),  # every protein has two partners: nothing to save
        ("head", {"blocks": 3}, 0),  # nothing is encoded anew
    ],
)
def test_blocks_are_made_where_they_save_encoding(
    build: Build, fitting: Fit, method: str, options: dict[str, Any], blocks: int
) -> None:
    setting, _, _ = build("ppi", method, **options)
    whole = fitting(setting)
    batches = choose_batches(whole)(0)
    examples = sorted(np.concatenate([batch.examples for batch in batches]).tolist())
    if blocks:
        assert examples == sorted([*range(24)] * 2)
        encoded = np.concatenate([batch.encoded(whole.part.members) for batch in batches])
        assert sorted(encoded.tolist()) == np.unique(whole.part.members).tolist()
        assert len(batches) == blocks
    else:
        assert examples == list(range(24))
        assert [len(batch) for batch in batches] == [8, 8, 8]
        assert [batch.proteins for batch in batches] == [None] * 3


def test_the_log_counts_how_often_an_epoch_encodes_each_protein(
    build: Build, fitting: Fit, caplog: pytest.LogCaptureFixture
) -> None:
    setting, _, _ = build("ppi", "lora", blocks=2, batch_size=24)
    caplog.clear()
    with caplog.at_level(logging.INFO):
        choose_batches(fitting(setting))
    (said,) = caplog.messages
    assert "24 proteins once (pair batches: 1 time) in 2 steps" in said  # one batch of all pairs


def test_blocks_of_stored_vectors_encode_nothing(
    build: Build, fitting: Fit, caplog: pytest.LogCaptureFixture
) -> None:
    setting, _, _ = build("ppi", "head", sampler="blocks", blocks=3)
    caplog.clear()
    batches = choose_batches(fitting(setting))(0)
    assert [batch.proteins for batch in batches] == [None] * 3
    assert not caplog.messages


def test_blocks_are_drawn_anew_every_epoch_and_again_the_same(build: Build, fitting: Fit) -> None:
    setting, _, _ = build("ppi", "lora", blocks=3)
    first, again = choose_batches(fitting(setting)), choose_batches(fitting(setting))
    orders = [
        np.concatenate([batch.examples for batch in batches(epoch)]).tolist()
        for batches in (first, again)
        for epoch in (0, 1)
    ]
    assert orders[:2] == orders[2:]
    assert orders[0] != orders[1]


def test_every_process_needs_an_example() -> None:
    batches = [Batch(np.arange(3)), Batch(np.arange(1))]
    check_shares(batches, Processes(0, 3))
    with pytest.raises(InputError, match="4 processes share batches of at most 3 examples"):
        check_shares(batches, Processes(0, 4))
