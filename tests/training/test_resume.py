import json
from pathlib import Path

import pytest
import torch

from peftide.adapters import ADAPTERS
from peftide.errors import InputError, StorageError
from peftide.optimizer import OptimizerStep
from peftide.parameters import copy_trained, trained_parameters
from peftide.tasks.detecting import find_task
from peftide.training import loop
from peftide.training.loop import begin, fit
from peftide.training.optimizer import build_optimizer
from peftide.training.resume import TrainingState, load_point, save_point
from tests.training.conftest import Build, Fit

STATE = TrainingState(
    steps=90,
    epoch=2,
    batch=3,
    step=17,
    loss_sum=0.1 + 0.2,
    best_score=0.25,
    best_epoch=1,
    seconds=3.5,
)


def take_step(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    for parameter in trained_parameters(model).values():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()


@pytest.mark.parametrize("method", ADAPTERS)
def test_a_point_holds_everything_exactly(build: Build, tmp_path: Path, method: str) -> None:
    _, model, config = build("ppi", method)
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    take_step(model, optimizer)
    state = TrainingState(**vars(STATE) | {"best": copy_trained(model), "history": [{"epoch": 1}]})
    take_step(model, optimizer)
    save_point(tmp_path / "points", state, model=model, optimizer=optimizer)

    _, other, _ = build("ppi", method)
    fresh = build_optimizer(other, config, learning_rate=0.1)
    loaded = load_point(tmp_path / "points", model=other, optimizer=fresh, steps=90)
    saved = copy_trained(model)
    assert all(torch.equal(saved[name], value) for name, value in copy_trained(other).items())
    assert loaded.best.keys() == state.best.keys()
    assert all(torch.equal(loaded.best[name], value) for name, value in state.best.items())
    plain = {key: value for key, value in vars(loaded).items() if key != "best"}
    assert plain == {key: value for key, value in vars(state).items() if key != "best"}
    torch.manual_seed(0)
    take_step(model, optimizer)
    torch.manual_seed(0)
    take_step(other, fresh)
    saved = copy_trained(model)
    assert all(torch.equal(saved[name], value) for name, value in copy_trained(other).items())


def test_without_a_point_training_begins_anew(build: Build, tmp_path: Path) -> None:
    _, model, config = build("ppi", "head")
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    before = copy_trained(model)
    found = load_point(tmp_path / "absent", model=model, optimizer=optimizer, steps=9)
    assert found == TrainingState(steps=9)
    assert all(torch.equal(before[name], value) for name, value in copy_trained(model).items())


def test_only_the_last_point_is_kept_and_half_a_point_is_none(build: Build, tmp_path: Path) -> None:
    _, model, config = build("ppi", "head")
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    for step in (9, 10, 100):
        state = TrainingState(steps=900, step=step)
        save_point(tmp_path / "points", state, model=model, optimizer=optimizer)
    (tmp_path / "points" / ".step-000000101.partial-1").mkdir()
    assert [path.name for path in (tmp_path / "points").glob("step-*")] == ["step-000000100"]
    found = load_point(tmp_path / "points", model=model, optimizer=optimizer, steps=900)
    assert found.step == 100


def test_a_point_is_no_pickle(build: Build, tmp_path: Path) -> None:
    _, model, config = build("ppi", "head")
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    save_point(tmp_path / "points", STATE, model=model, optimizer=optimizer)
    (point,) = (tmp_path / "points").iterdir()
    assert sorted(path.name for path in point.iterdir()) == ["state.json", "tensors.safetensors"]
    assert json.loads((point / "state.json").read_text())["loss_sum"] == 0.1 + 0.2


def test_a_full_disk_keeps_the_last_point(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model, config = build("ppi", "head")
    optimizer = build_optimizer(model, config, learning_rate=0.1)
    save_point(tmp_path / "points", TrainingState(step=1), model=model, optimizer=optimizer)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("peftide.resume_points.save_file", full)
    with pytest.raises(StorageError, match="no space left"):
        save_point(tmp_path / "points", TrainingState(step=2), model=model, optimizer=optimizer)
    assert [path.name for path in (tmp_path / "points").iterdir()] == ["step-000000001"]


def test_a_point_without_the_vectors_of_its_blocks_is_refused(
    build: Build, fitting: Fit, tmp_path: Path
) -> None:
    """As a damaged folder may have it."""
    setting, model, _ = build("ppi", "lora", blocks=3)
    whole = fitting(setting, checkpoints=tmp_path / "points")
    run = begin(model, whole)
    save_point(
        whole.checkpoints,
        TrainingState(steps=run.state.steps, step=1),
        model=model,
        optimizer=run.optimizer_step.optimizer,
    )
    with pytest.raises(InputError, match=r"no vector_bank(.|\n)*--overwrite"):
        begin(model, whole)


@pytest.mark.parametrize("method", ["head", "lora"])
@pytest.mark.parametrize("steps", [0, 8])
def test_a_point_of_a_version_with_other_steps_is_refused(
    build: Build, fitting: Fit, tmp_path: Path, method: str, steps: int
) -> None:
    """Else the rest of an epoch would have other batches, or none, without a word."""
    setting, model, _ = build("ppi", method, sampler="blocks", blocks=3)
    whole = fitting(setting, checkpoints=tmp_path / "points")
    run = begin(model, whole)
    assert run.state.steps == 3 * setting.config.epochs != steps
    state, optimizer = TrainingState(steps=steps, step=1), run.optimizer_step.optimizer
    save_point(whole.checkpoints, state, model=model, optimizer=optimizer)
    if not steps:  # an older version wrote no number
        (path,) = whole.checkpoints.glob("*/state.json")
        record = json.loads(path.read_text())
        path.write_text(json.dumps({key: record[key] for key in record if key != "steps"}))
    with pytest.raises(InputError, match=r"another version(.|\n)*--overwrite"):
        begin(model, whole)


def test_an_interruption_before_an_optimizer_step_changes_no_vector(
    build: Build, fitting: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The resumed training repeats the step, so it needs the vectors from before the step."""

    def run(checkpoints: Path) -> dict[str, torch.Tensor]:
        setting, model, _ = build("ppi", "lora", blocks=3, epochs=2, learning_rate=0.1)
        fit(model, fitting(setting, checkpoints=checkpoints))
        return copy_trained(model)

    expected = run(tmp_path / "whole")
    taken = 0
    take = OptimizerStep.take

    def interrupted_take(self: OptimizerStep, step: int) -> torch.Tensor:
        nonlocal taken
        taken += 1
        if taken == 2:
            raise KeyboardInterrupt
        return take(self, step)

    monkeypatch.setattr(OptimizerStep, "take", interrupted_take)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "interrupted")
    monkeypatch.undo()
    found = run(tmp_path / "interrupted")
    assert all(torch.equal(found[name], value) for name, value in expected.items())


class KilledError(Exception):
    """Stands for a kill between two steps."""


@pytest.mark.parametrize(
    "case",
    [("regression", "lora", stop_at) for stop_at in (1, 3, 4, 6, 7)]
    + [("regression", "adalora", stop_at) for stop_at in (3, 10, 14)]
    + [("regression", "pissa", 6), ("regression", "last_k", 6)]
    + [("ppi", "lora", stop_at) for stop_at in (1, 4, 6)],
)
def test_a_training_killed_after_any_step_ends_with_the_same_weights(
    build: Build,
    fitting: Fit,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, str, int],
) -> None:
    """Three steps per epoch: kills in mid-epoch, at an epoch's last step, in the last epoch.

    For adalora, which cuts from its second step of twelve on, also after the last cut. For pairs,
    in blocks of proteins with a vector bank.
    """
    task, method, stop_at = case
    scores = [0.3, 0.5, 0.4, 0.6][: 4 if method == "adalora" else 3]
    options = {"epochs": len(scores), "checkpoint_minutes": 0.0, "lora_dropout": 0.3}
    options |= {"blocks": 3} if task == "ppi" else {}
    headline = find_task(task).outcome.headline

    def run(checkpoints: Path, waiting: list[float]) -> tuple[list[float], dict[str, torch.Tensor]]:
        setting, model, _ = build(task, method, **options)
        validate = lambda: {headline: waiting.pop(0)}  # noqa: E731
        result = fit(model, fitting(setting, validate=validate, checkpoints=checkpoints))
        return [row["train_loss"] for row in result.history], copy_trained(model)

    losses, expected = run(tmp_path / "whole", list(scores))
    done = 0

    def killing_save(*arguments: object, **named: object) -> None:
        nonlocal done
        save_point(*arguments, **named)  # pyright: ignore[reportArgumentType]
        done += 1
        if done == stop_at:
            raise KilledError

    monkeypatch.setattr(loop, "save_point", killing_save)
    # with no minutes between points each step saves one, and each epoch asks for one more
    validated = (stop_at - 1) // 4
    with pytest.raises(KilledError):
        run(tmp_path / "killed", list(scores))
    monkeypatch.undo()
    again, found = run(tmp_path / "killed", scores[validated:])
    assert again == losses
    assert all(torch.equal(found[name], value) for name, value in expected.items())
