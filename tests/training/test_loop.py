from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from peftide.errors import TrainingError
from peftide.parameters import trained_parameters
from peftide.training import encoded_rows, fit
from peftide.training.loop import batch_loss, epoch_batches
from peftide.training.modes import set_training_mode
from peftide.training.parts import micro_batches
from tests.training.conftest import Build, Fit

EVERY = np.arange(24)


def test_batches_are_the_same_for_the_same_seed_and_epoch_only() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        batches = epoch_batches(np.arange(100), seed=seed, epoch=epoch, batch_size=7)
        return np.concatenate(batches).tolist()

    assert order(0, 0) == order(0, 0)
    assert sorted(order(0, 0)) == list(range(100))
    assert len({tuple(order(seed, epoch)) for seed in range(3) for epoch in range(3)}) == 9


def gradients(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Return the gradients of all trained parameters, and forget them in the model."""
    found = {}
    for name, parameter in trained_parameters(model).items():
        assert parameter.grad is not None, name
        found[name] = parameter.grad.clone()
        parameter.grad = None
    return found


def randomise_adapter(model: torch.nn.Module) -> None:
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)


def assert_equal(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=1e-6, rtol=1e-4, msg=name)


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


def scores(values: list[float], headline: str = "spearman") -> Callable[[], dict[str, float]]:
    """Return a validation that gives these scores, one per epoch."""
    waiting = iter(values)
    return lambda: {headline: next(waiting)}


def weights(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in trained_parameters(model).items()}


def test_the_best_epoch_is_left_in_the_model(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "lora", epochs=4)
    after: list[dict[str, torch.Tensor]] = []

    def remember(_history: list[dict[str, Any]]) -> None:
        after.append(weights(model))

    validate = scores([0.1, 0.4, 0.4, 0.3])
    result = fit(model, fitting(setting, validate=validate, on_epoch=remember))
    assert (result.best_epoch, result.best_score, len(result.history)) == (2, 0.4, 4)
    assert result.steps == 4 * 3
    left = weights(model)
    assert all(torch.equal(left[name], after[1][name]) for name in left)
    assert any(not torch.equal(left[name], after[3][name]) for name in left)


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 4), (5, 7), (9, 8)])
def test_training_stops_when_patience_is_over(
    build: Build, fitting: Fit, patience: int, epochs: int
) -> None:
    """The best epoch is the second of eight; training ends after `patience` worse ones."""
    setting, model, _ = build("regression", "head", epochs=8, patience=patience)
    validate = scores([0.1, 0.5, *[0.2] * 6])
    result = fit(model, fitting(setting, validate=validate))
    assert (len(result.history), result.best_epoch) == (epochs, 2)


def test_history_holds_loss_scores_and_steps(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "head", epochs=2, learning_rate=1e-3)
    seen: list[int] = []
    result = fit(
        model,
        fitting(setting, on_epoch=lambda rows: seen.append(len(rows)), validate=scores([1, 2])),
    )
    assert seen == [1, 2]
    assert [row["step"] for row in result.history] == [3, 6]
    assert [row["spearman"] for row in result.history] == [1, 2]
    assert all(np.isfinite(row["train_loss"]) for row in result.history)


def test_the_reported_loss_is_the_mean_over_batches(build: Build, fitting: Fit) -> None:
    """A rate of almost 0 leaves the weights, so every batch's loss can be computed by hand."""
    setting, model, _ = build(
        "regression", "head", epochs=1, head_learning_rate=1e-30, head_dropout=0.0
    )
    whole = fitting(setting, validate=scores([1.0]))
    batches = epoch_batches(EVERY, seed=0, epoch=0, batch_size=8)
    by_hand = [batch_loss(model, whole, batch).item() / len(batch) for batch in batches]
    result = fit(model, whole)
    assert result.history[0]["train_loss"] == pytest.approx(np.mean(by_hand), rel=1e-5)


def test_a_loss_that_is_no_number_stops_with_the_reason(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "head", head_learning_rate=1e30, max_grad_norm=1e30)
    with pytest.raises(TrainingError, match=r"loss became (nan|inf) in epoch 1, step \d+\. Lower"):
        fit(model, fitting(setting))


def test_a_validation_score_that_is_no_number_stops(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("regression", "head")
    with pytest.raises(TrainingError, match="spearman is nan"):
        fit(model, fitting(setting, validate=scores([float("nan")] * 2)))


def test_the_same_seed_gives_the_same_weights(build: Build, fitting: Fit) -> None:
    found = []
    for seed in (3, 3, 4):
        setting, model, _ = build("ppi", "lora", seed=seed, epochs=1)
        validate = scores([0.5], "average_precision")
        fit(
            model,
            fitting(setting, validate=validate, checkpoints=setting.config.out / str(len(found))),
        )
        found.append(torch.cat([p.reshape(-1) for p in weights(model).values()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


def test_only_what_trains_changes(build: Build, fitting: Fit) -> None:
    setting, model, _ = build("ppi", "lora", epochs=1)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    fit(model, fitting(setting))
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed == set(trained_parameters(model))
