from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from peftide.distributed import Processes
from peftide.engine.blocks import Batch, block_batches
from peftide.training.block_gradients import add_block_gradients, empty_bank, fill_bank
from peftide.training.gradients import batch_loss
from peftide.training.parts import Fitting
from tests.training.conftest import Build, Fit, assert_equal, gradients
from tests.training.test_gradients import randomise_adapter

PROTEINS = 8


def all_pairs(fitting: Fitting) -> Fitting:
    """Return the fitting with pairs of a few proteins, some of them pairs with themselves."""
    generator = np.random.default_rng(3)
    members = generator.integers(0, PROTEINS, size=fitting.part.members.shape)
    members[:3, 1] = members[:3, 0]
    return replace(fitting, part=replace(fitting.part, members=members))


@pytest.fixture
def ready(build: Build, fitting: Fit) -> Any:
    """Method and options → a model in evaluation mode and its fitting with a filled bank."""

    def run(method: str, **options: Any) -> tuple[Any, Fitting]:
        setting, model, _ = build("ppi", method, **options)
        model.eval()
        randomise_adapter(model)
        whole = all_pairs(fitting(setting))
        whole = replace(whole, bank=empty_bank(model, whole))
        fill_bank(whole, advance=lambda _: None)
        return model, whole

    return run


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("blocks", [1, 3, PROTEINS])
@pytest.mark.parametrize("budget", [1, 90, 10**6])
def test_the_blocks_of_an_epoch_give_the_gradients_of_all_pairs(
    ready: Any, method: str, blocks: int, budget: int
) -> None:
    """Unchanged weights, so that no vector of the bank is out of date."""
    model, whole = ready(method)
    every = np.arange(len(whole.part.members))
    (batch_loss(model, whole, every) / len(every)).backward()
    expected = gradients(model)
    whole = replace(whole, source=replace(whole.source, budget=budget))
    batches = block_batches(whole.part.members, blocks, np.random.default_rng(0))
    assert len(batches) == blocks
    for batch in batches:
        share = len(batch) / (2 * len(every))
        add_block_gradients(model, whole, batch, factor=share)
        whole.bank.keep()
    assert_equal(gradients(model), expected)


def test_the_loss_is_the_mean_of_the_block_s_pairs(ready: Any) -> None:
    model, whole = ready("lora")
    (batch,) = block_batches(whole.part.members, 1, np.random.default_rng(0))
    every = np.arange(len(whole.part.members))
    expected = batch_loss(model, whole, every).item() / len(every)
    assert add_block_gradients(model, whole, batch) == pytest.approx(expected, rel=1e-5)


def test_partners_keep_the_vectors_of_their_last_step(ready: Any) -> None:
    """A head of zeros gives the same loss for all vectors, so the bank must show in gradients."""
    model, whole = ready("lora")
    members = whole.part.members
    batch = block_batches(members, 2, np.random.default_rng(0))[0]
    assert batch.proteins is not None
    before = whole.bank.vectors.clone()
    add_block_gradients(model, whole, batch)
    first = gradients(model)
    others = np.setdiff1d(np.unique(members), batch.proteins)
    assert torch.equal(whole.bank.of(others), before[torch.from_numpy(others)])
    whole.bank.keep()
    torch.testing.assert_close(whole.bank.vectors, before)  # encoded again with the same weights
    whole.bank.vectors[torch.from_numpy(others)] += 1.0
    add_block_gradients(model, whole, batch)
    changed = gradients(model)
    assert any(not torch.allclose(changed[name], value) for name, value in first.items())


def test_the_vectors_of_a_block_are_kept(ready: Any) -> None:
    model, whole = ready("lora")
    expected = whole.bank.vectors.clone()
    batch = block_batches(whole.part.members, 2, np.random.default_rng(0))[0]
    assert batch.proteins is not None
    whole.bank.vectors.zero_()
    add_block_gradients(model, whole, batch)
    assert not whole.bank.vectors.any()  # the step is not taken yet
    whole.bank.keep()
    inside = torch.from_numpy(batch.proteins)
    torch.testing.assert_close(whole.bank.vectors[inside], expected[inside])
    assert not np.delete(whole.bank.vectors.numpy(), batch.proteins, axis=0).any()


def test_several_processes_add_up_to_one(ready: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model, whole = ready("lora")
    batch = block_batches(whole.part.members, 2, np.random.default_rng(0))[0]
    assert batch.proteins is not None
    expected_loss = add_block_gradients(model, whole, batch)
    whole.bank.keep()
    expected, vectors = gradients(model), whole.bank.vectors.clone()
    shares: list[torch.Tensor] = []
    monkeypatch.setattr(Processes, "sum", lambda _, rows: shares.append(rows.clone()))
    loss = 0.0
    for rank in range(3):
        whole.bank.vectors.copy_(vectors)
        hardware = replace(whole.hardware, processes=Processes(rank, 3))
        loss += add_block_gradients(model, replace(whole, hardware=hardware), batch)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert_equal(gradients(model), expected)
    torch.testing.assert_close(torch.stack(shares).sum(dim=0), vectors[batch.proteins])


def test_a_pair_with_uncounted_label_is_in_no_block(ready: Any) -> None:
    _, whole = ready("lora")
    counted = np.arange(24) < 12
    part = replace(whole.part, targets=replace(whole.part.targets, counted=counted))
    masked = replace(whole, part=part)
    masked.bank.vectors.zero_()
    fill_bank(masked, advance=lambda _: None)
    used = np.unique(part.members[:12])
    assert masked.bank.vectors.any(dim=1).nonzero().flatten().tolist() == used.tolist()


def test_a_batch_of_pairs_is_no_block(ready: Any) -> None:
    model, whole = ready("lora")
    with pytest.raises(AssertionError):
        add_block_gradients(model, whole, Batch(np.arange(3)))
