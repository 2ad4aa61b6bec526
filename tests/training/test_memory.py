import logging
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from peftide.engine.blocks import Batch, block_batches
from peftide.errors import TrainingError
from peftide.training.block_gradients import empty_bank
from peftide.training.loop import fit
from peftide.training.memory import add_fitting_gradients, filled_bank
from tests.training.conftest import Build, Fit, assert_equal, gradients

EVERY = Batch(np.arange(24))
ROOM = 70
"""Tokens that the GPU of these tests holds; the longest protein has fewer."""


def make_small(model: torch.nn.Module, room: int) -> list[int]:
    """Let encoding more tokens than `room` fail as on a GPU; return what was encoded."""
    encoded: list[int] = []

    def hook(_module: torch.nn.Module, inputs: tuple[Any, ...]) -> None:
        tokens = len(inputs[0].input_ids)
        if tokens > room:
            raise torch.cuda.OutOfMemoryError("out of memory")
        encoded.append(tokens)

    backbone = next(m for name, m in model.named_modules() if name == "backbone")
    backbone.register_forward_pre_hook(hook)
    return encoded


@pytest.mark.parametrize("task", ["ppi", "regression"])
def test_a_step_that_memory_does_not_hold_is_done_again_in_smaller_parts(
    build: Build, fitting: Fit, task: str, caplog: pytest.LogCaptureFixture
) -> None:
    setting, model, _ = build(task, "full", max_tokens=500)
    model.eval()
    whole = fitting(setting)
    expected_loss, same = add_fitting_gradients(model, whole, EVERY, step=3, advance=unheard)
    assert same is whole
    expected = gradients(model)
    encoded = make_small(model, ROOM)
    done: list[float] = []
    with caplog.at_level(logging.WARNING):
        loss, smaller = add_fitting_gradients(model, whole, EVERY, step=3, advance=done.append)
        assert smaller.source.batch_tokens == 62  # 500, 250 and 125 are too many
        assert caplog.text.count("out of GPU memory") == 3
        found = gradients(model)
        add_fitting_gradients(model, smaller, EVERY, step=4, advance=unheard)
    assert caplog.text.count("out of GPU memory") == 3  # the next step begins as small
    assert max(encoded) <= ROOM
    assert sum(done) == pytest.approx(len(EVERY))
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert_equal(found, expected)


def test_a_block_that_memory_does_not_hold_is_done_again_in_smaller_parts(
    build: Build, fitting: Fit
) -> None:
    setting, model, _ = build("ppi", "full", max_tokens=500)
    model.eval()
    whole = fitting(setting)
    whole = filled_bank(model, replace(whole, bank=empty_bank(model, whole)), advance=unheard)
    batch = block_batches(whole.part.members, 2, np.random.default_rng(0))[0]
    expected_loss, _ = add_fitting_gradients(model, whole, batch, step=3, advance=unheard)
    expected = gradients(model)
    encoded = make_small(model, ROOM)
    loss, smaller = add_fitting_gradients(model, whole, batch, step=3, advance=unheard)
    assert smaller.source.batch_tokens < whole.source.batch_tokens
    assert smaller.bank is whole.bank
    assert encoded
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert_equal(gradients(model), expected)


def test_a_bank_is_filled_with_a_smaller_budget(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("ppi", "full", max_tokens=500)
    model.eval()
    whole = fitting(setting)
    whole = replace(whole, bank=empty_bank(model, whole))
    make_small(model, ROOM)
    smaller = filled_bank(model, whole, advance=unheard)
    assert smaller.source.batch_tokens <= ROOM
    assert whole.bank is not None
    assert whole.bank.vectors[np.unique(whole.part.members)].any(dim=1).all()


def unheard(_examples: float) -> None:
    """Take no note."""


def test_a_protein_that_memory_does_not_hold_is_one_clear_error(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("ppi", "full", max_tokens=500)
    make_small(model, 5)
    with pytest.raises(TrainingError, match=r"one protein .* --gradient-checkpointing"):
        add_fitting_gradients(model, fitting(setting), EVERY, step=0, advance=unheard)


def test_a_training_goes_on_with_the_smaller_budget(
    build: Build, fitting: Fit, caplog: pytest.LogCaptureFixture
) -> None:
    setting, model, _ = build("ppi", "lora", max_tokens=500)
    encoded = make_small(model, ROOM)
    with caplog.at_level(logging.WARNING):
        result = fit(model, fitting(setting))
    assert result.steps > 2
    assert encoded
    assert caplog.text.count("out of GPU memory") == 3
