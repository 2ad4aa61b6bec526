from dataclasses import replace

import numpy as np
import pytest
import torch

from peftide.distributed import Processes
from peftide.training.gradients import (
    add_gradients,
    batch_loss,
    is_too_large,
    own_examples,
    shares_proteins,
)
from peftide.training.modes import set_training_mode
from peftide.training.parts import encoded_rows, micro_batches
from tests.training.conftest import Build, Fit, assert_equal, gradients

EVERY = np.arange(24)


def randomise_adapter(model: torch.nn.Module) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("task", ["ppi", "residue"])
def test_a_small_budget_gives_the_gradients_of_one_big_batch(
    build: Build, fitting: Fit, task: str, method: str
) -> None:
    setting, model, _ = build(task, method)
    model.eval()
    randomise_adapter(model)
    whole = fitting(setting)
    total = float(whole.part.targets.counted.sum())
    (batch_loss(model, whole, EVERY) / total).backward()
    expected = gradients(model)
    pieces = micro_batches(EVERY, whole.part.members, costs=whole.source.costs, budget=90)
    assert len(pieces) > 4
    for piece in pieces:
        (batch_loss(model, whole, piece) / total).backward()
    assert_equal(gradients(model), expected)


def test_recomputed_activations_in_two_passes_give_the_gradients_of_the_whole(
    build: Build, fitting: Fit
) -> None:
    """Packed rows, two passes and checkpointing together, with LoRA dropout."""
    found, calls = [], []
    for checkpointing in (False, True):
        setting, model, _ = build("ppi", "lora", gradient_checkpointing=checkpointing)
        randomise_adapter(model)
        set_training_mode(model)
        whole = fitting(setting)
        tight = replace(whole, source=replace(whole.source, budget=1, batch_tokens=60))
        attention = next(
            m for n, m in model.named_modules() if n.endswith("layer.0.attention.self")
        )
        counted: list[int] = []
        attention.register_forward_hook(lambda *_, into=counted: into.append(1))
        torch.manual_seed(5)
        add_gradients(model, tight, EVERY)
        found.append(gradients(model))
        calls.append(len(counted))
    assert calls[1] == 1.5 * calls[0]  # pass 2 runs the layer once more
    assert_equal(found[1], found[0])


def test_a_batch_of_one_protein_with_itself(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("ppi", "lora")
    model.eval()
    randomise_adapter(model)
    whole = fitting(setting)
    members = np.zeros_like(whole.part.members)
    alone = fitting(setting, part=replace(whole.part, members=members))
    one = np.array([0])
    batch_loss(model, alone, one).backward()
    expected = gradients(model)
    tight = replace(alone, source=replace(alone.source, budget=1, batch_tokens=1))
    for batch in (one, EVERY):
        add_gradients(model, tight, batch)
        found = gradients(model)
        if len(batch) == 1:
            assert_equal(found, expected)
        else:
            (batch_loss(model, alone, EVERY) / len(EVERY)).backward()
            assert_equal(found, gradients(model))


@pytest.mark.parametrize("method", ["lora", "full"])
def test_recomputed_activations_give_the_same_gradients(
    build: Build, fitting: Fit, method: str
) -> None:
    found = []
    for checkpointing in (False, True):
        setting, model, _ = build(
            "ppi", method, gradient_checkpointing=checkpointing, lora_dropout=0.2
        )
        randomise_adapter(model)
        set_training_mode(model)
        layers = [m for n, m in model.named_modules() if n.endswith("encoder.layer.0")]
        assert [layer.gradient_checkpointing for layer in layers] == [checkpointing]
        torch.manual_seed(5)
        batch_loss(model, fitting(setting), EVERY).backward()
        found.append(gradients(model))
    assert_equal(found[1], found[0])


def test_checkpointing_recomputes(build: Build, fitting: Fit) -> None:
    """Every layer runs a second time in the backward pass, so the flag is no empty promise."""
    setting, model, _ = build("ppi", "full", gradient_checkpointing=True)
    set_training_mode(model)
    calls = []
    attention = next(m for n, m in model.named_modules() if n.endswith("layer.0.attention"))
    attention.register_forward_hook(lambda *_: calls.append(1))
    loss = batch_loss(model, fitting(setting), np.arange(3))
    forward = len(calls)
    loss.backward()
    assert len(calls) == 2 * forward


def test_rows_cached_or_encoded_anew_give_the_same_loss(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("ppi", "head")
    model.eval()
    anew = encoded_rows(setting.encoder, setting.problem.dataset.proteins.sequences)
    cached = batch_loss(model, fitting(setting), EVERY)
    torch.testing.assert_close(cached, batch_loss(model, fitting(setting, source=anew), EVERY))


def test_uncounted_rows_do_not_enter_the_loss(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "head")
    model.eval()
    whole = fitting(setting)
    half = np.arange(24) < 12
    targets = replace(whole.part.targets, counted=half)
    masked = fitting(setting, part=replace(whole.part, targets=targets))
    torch.testing.assert_close(
        batch_loss(model, masked, EVERY), batch_loss(model, whole, EVERY[half])
    )


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize("pooling", ["mean", "attention", "ends", "window"])
def test_two_passes_give_the_gradients_of_one(
    build: Build, fitting: Fit, method: str, pooling: str
) -> None:
    """A budget of one protein at a time, against the whole batch at once."""
    setting, model, _ = build("ppi", method, pooling=pooling)
    model.eval()
    randomise_adapter(model)
    whole = fitting(setting)
    expected_loss = batch_loss(model, whole, EVERY) / len(EVERY)
    expected_loss.backward()
    expected = gradients(model)
    tight = replace(whole, source=replace(whole.source, budget=1, batch_tokens=1))
    encodings = counted_encodings(model)
    done: list[float] = []
    loss = add_gradients(model, tight, EVERY, advance=done.append)
    assert len(encodings) == 2 * len(np.unique(whole.part.members))  # each protein alone, twice
    assert sum(done) == pytest.approx(len(EVERY))
    assert loss == pytest.approx(expected_loss.item(), rel=1e-5)
    assert_equal(gradients(model), expected)


def test_proteins_that_fit_are_encoded_in_one_pass(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("ppi", "lora")
    encodings = counted_encodings(model)
    add_gradients(model, fitting(setting), EVERY)
    assert len(encodings) == 1


def test_single_sequences_are_split_not_encoded_twice(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "lora")
    whole = fitting(setting)
    tight = replace(whole, source=replace(whole.source, budget=1))
    encodings = counted_encodings(model)
    add_gradients(model, tight, EVERY)
    assert len(encodings) == len(EVERY)


def test_many_pairs_are_answered_in_parts(
    build: Build, fitting: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting, model, _ = build("ppi", "lora", head_dropout=0.0, lora_dropout=0.0)
    tight = fitting(setting)
    tight = replace(tight, source=replace(tight.source, budget=1))
    add_gradients(model, tight, EVERY)
    expected = gradients(model)
    monkeypatch.setattr("peftide.training.gradients.PUSHED_EXAMPLES", 7)
    add_gradients(model, tight, EVERY)
    assert_equal(gradients(model), expected)


def counted_encodings(model: torch.nn.Module) -> list[int]:
    """Return a list that grows by one with every packed batch that the backbone encodes."""
    calls: list[int] = []
    backbone = next(m for name, m in model.named_modules() if name == "backbone")
    backbone.register_forward_hook(lambda *_: calls.append(1))
    return calls


def test_a_pair_beyond_the_budget_is_encoded_in_two_passes(build: Build, fitting: Fit) -> None:
    """One protein's graph at a time, and the gradients of the whole."""
    setting, model, _ = build("ppi", "lora", lora_dropout=0.0)
    randomise_adapter(model)
    whole, pair = fitting(setting), EVERY[:1]
    add_gradients(model, whole, pair)
    expected = gradients(model)
    tight = replace(whole, source=replace(whole.source, budget=20, batch_tokens=20))
    assert is_too_large(tight, pair)
    assert not is_too_large(whole, pair)
    add_gradients(model, tight, pair)
    assert_equal(gradients(model), expected)


@pytest.mark.parametrize("task", ["regression", "residue"])
def test_the_shares_of_three_processes_add_up_to_the_whole(
    build: Build, fitting: Fit, task: str
) -> None:
    setting, model, _ = build(task, "lora")
    model.eval()
    randomise_adapter(model)
    whole = fitting(setting)
    expected_loss = add_gradients(model, whole, EVERY)
    expected = gradients(model)
    loss, examples = 0.0, list[int]()
    for rank in range(3):
        hardware = replace(whole.hardware, processes=Processes(rank, 3))
        shared = replace(whole, hardware=hardware)
        assert not shares_proteins(shared, EVERY)
        examples += own_examples(shared, EVERY).tolist()
        loss += add_gradients(model, shared, EVERY)
    assert sorted(examples) == EVERY.tolist()
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert_equal(gradients(model), expected)


def test_processes_share_the_proteins_of_a_block_and_the_pairs_of_sparse_batches(
    build: Build, fitting: Fit
) -> None:
    """All pairs of six proteins, against pairs that have no protein in common."""
    setting, _, _ = build("ppi", "lora")
    whole = fitting(setting)
    two = replace(whole.hardware, processes=Processes(0, 2))
    for members, shared in (
        (np.stack(np.triu_indices(6, 1), axis=1), True),
        (np.arange(12).reshape(6, 2), False),
    ):
        part = replace(whole.part, members=members)
        every = np.arange(len(members))
        assert shares_proteins(replace(whole, part=part, hardware=two), every) is shared
        assert not shares_proteins(replace(whole, part=part), every)
