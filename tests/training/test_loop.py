import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from peftide.engine.blocks import Batch
from peftide.errors import TrainingError
from peftide.optimizer import LossScale
from peftide.parameters import trained_parameters
from peftide.training.batches import epoch_batches
from peftide.training.gradients import batch_loss
from peftide.training.loop import begin, fit
from peftide.training.modes import set_training_mode
from tests.training.conftest import Build, Fit

EVERY = np.arange(24)


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
    build: Build, fitting: Fit, patience: int, epochs: int, caplog: pytest.LogCaptureFixture
) -> None:
    """The best epoch is the second of eight; training ends after `patience` worse ones."""
    caplog.set_level(logging.INFO)
    setting, model, _ = build("regression", "head", epochs=8, patience=patience)
    validate = scores([0.1, 0.5, *[0.2] * 6])
    result = fit(model, fitting(setting, validate=validate))
    assert (len(result.history), result.best_epoch) == (epochs, 2)
    assert ("stopped early: no better validation score for " in caplog.text) == (epochs < 8)
    assert caplog.messages[-1] == "the model has the weights of epoch 2"


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
    with pytest.raises(TrainingError, match=r"became (nan|inf) in epoch 1, step \d+\. .* lower"):
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


def test_a_run_takes_single_steps(build: Build, fitting: Fit) -> None:
    """Steps by hand, an epoch's end and a resume point, as `fit` takes them."""
    setting, model, _ = build("regression", "lora", epochs=1)
    fit(model, fitting(setting, checkpoints=setting.config.out / "whole"))
    expected = weights(model)

    setting, model, _ = build("regression", "lora", epochs=1)
    run = begin(model, fitting(setting))
    set_training_mode(model)
    done: list[float] = []
    losses = [run.step(batch, advance=done.append) for batch in run.batches(0)]
    assert all(np.isfinite(losses))
    assert (sum(done), run.state.step, run.is_over()) == (len(EVERY), 3, False)
    assert run.state.batch == len(losses)
    run.end_epoch()
    assert run.is_over()
    assert all(torch.equal(value, expected[name]) for name, value in weights(model).items())
    again = begin(model, fitting(setting))
    assert (again.state.step, again.state.epoch, again.is_over()) == (3, 1, True)


@pytest.mark.parametrize("method", ["lora", "adalora", "head"])
def test_training_in_fp16_is_near_to_that_in_fp32(
    build: Build, fitting: Fit, method: str, tmp_path: Path
) -> None:
    """A scaled loss, whose factor the steps take out again."""
    losses = {}
    for precision in ("fp32", "fp16"):
        setting, model, _ = build("regression", method, epochs=2, precision=precision)
        place = tmp_path / precision
        whole = fitting(setting, validate=scores([0.1, 0.2]), checkpoints=place)
        result = fit(model, whole)
        losses[precision] = [row["train_loss"] for row in result.history]
    assert losses["fp16"][0] == pytest.approx(losses["fp32"][0], rel=1e-3)
    assert losses["fp16"][1] == pytest.approx(losses["fp32"][1], rel=0.03)


def test_a_step_whose_gradients_overflow_changes_nothing(
    build: Build, fitting: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loss is finite, but its gradients times the first factor are not."""
    monkeypatch.setattr(LossScale, "FIRST", 2.0**127)
    setting, model, _ = build("regression", "lora", precision="fp16")
    run = begin(model, fitting(setting))
    before = weights(model)
    set_training_mode(model)
    assert np.isfinite(run.step(Batch(EVERY[:8])))
    assert run.optimizer_step.loss_factor == 2.0**126
    assert all(torch.equal(before[name], weight) for name, weight in weights(model).items())
