"""A resume point holds tensors, moments and record exactly, whole or not at all."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import SGD, AdamW, Optimizer

from peftide.errors import InputError, StorageError
from peftide.resume_points import ResumePoint, read_point, write_point

RECORD = {"step": 3, "loss": 0.1 + 0.2, "history": [{"epoch": 1}], "best": float("-inf")}


@dataclass
class Note:
    step: int = 0
    text: str = ""
    loss: float = 0.0
    history: list[dict[str, int]] = field(default_factory=list)
    best: float = 0.0


def layer(seed: int = 0) -> nn.Linear:
    torch.manual_seed(seed)
    return nn.Linear(3, 2)


def take_step(model: nn.Module, optimizer: Optimizer, *, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    for parameter in model.parameters():
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    optimizer.step()


def same(first: nn.Module, second: nn.Module) -> bool:
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def test_a_training_goes_on_as_if_nothing_had_been(tmp_path: Path) -> None:
    model = layer()
    optimizer = AdamW(model.parameters(), lr=0.1)
    take_step(model, optimizer, seed=1)
    point = ResumePoint({"model": dict(model.named_parameters())}, RECORD)
    write_point(tmp_path / "points", point, step=3, optimizer=optimizer)

    other = layer(seed=7)
    fresh = AdamW(other.parameters(), lr=0.1)
    loaded = read_point(tmp_path / "points", model=other, optimizer=fresh, form=Note)
    assert loaded is not None
    assert {key: loaded.record[key] for key in RECORD} == RECORD
    assert same(model, other)
    take_step(model, optimizer, seed=2)
    take_step(other, fresh, seed=2)
    assert same(model, other)
    without = AdamW(other.parameters(), lr=0.1)
    take_step(model, optimizer, seed=3)
    take_step(other, without, seed=3)
    assert not same(model, other)  # the moments do matter


def test_groups_keep_their_names(tmp_path: Path) -> None:
    model = layer()
    groups: dict[str, dict[str, Any]] = {
        "model": dict(model.named_parameters()),
        "best": dict(layer(5).named_parameters()),
    }
    groups["steering"] = {"a/b": torch.zeros(3, 2).T}
    optimizer = SGD(model.parameters())
    write_point(tmp_path, ResumePoint(groups, {}), step=1, optimizer=optimizer)
    loaded = read_point(tmp_path, model=model, optimizer=optimizer, form=Note)
    assert loaded is not None
    assert {name: sorted(values) for name, values in loaded.tensors.items()} == {
        "model": ["bias", "weight"],
        "best": ["bias", "weight"],
        "steering": ["a/b"],
    }
    assert loaded.tensors["steering"]["a/b"].shape == (2, 3)


def test_without_a_point_there_is_none(tmp_path: Path) -> None:
    model = layer()
    optimizer = SGD(model.parameters())
    assert read_point(tmp_path / "absent", model=model, optimizer=optimizer, form=Note) is None


def noted(folder: Path, model: nn.Module, number: int, **record: object) -> None:
    point = ResumePoint({"model": dict(model.named_parameters())}, record)
    write_point(folder, point, step=number, optimizer=SGD(model.parameters()))


def read_note(folder: Path, model: nn.Module) -> dict[str, object]:
    loaded = read_point(folder, model=model, optimizer=SGD(model.parameters()), form=Note)
    assert loaded is not None
    return dict(loaded.record)


def test_only_the_last_point_is_kept_and_half_a_point_is_none(tmp_path: Path) -> None:
    model = layer()
    for step in (9, 10, 100):
        noted(tmp_path, model, step, step=step)
    (tmp_path / ".step-000000101.partial-1").mkdir()
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-000000100"]
    assert read_note(tmp_path, model)["step"] == 100


def test_a_point_of_the_same_step_stays_as_it_is(tmp_path: Path) -> None:
    model = layer()
    for text in ("first", "second"):
        noted(tmp_path, model, 1, text=text)
    assert read_note(tmp_path, model)["text"] == "first"


def tensors_with(change: Callable[[dict[str, Tensor]], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        tensors = load_file(folder / "tensors.safetensors")
        change(tensors)
        save_file(tensors, folder / "tensors.safetensors")

    return damage


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda f: (f / "state.json").write_text(""), "state.json.*empty"),
    "cut": (lambda f: (f / "state.json").write_text('{"step": '), "state.json.*not valid JSON"),
    "list": (lambda f: (f / "state.json").write_text("[1]"), "state.json.*an object"),
    "text": (lambda f: (f / "state.json").write_text('{"step": "3"}'), "step: received '3'"),
    "unknown": (lambda f: (f / "state.json").write_text('{"stop": 3}'), "stop is no known key"),
    "absent": (lambda f: (f / "state.json").unlink(), "cannot read .*state.json"),
    "no tensors": (lambda f: (f / "tensors.safetensors").write_bytes(b""), "damaged or incomplete"),
    "shape": (
        tensors_with(lambda t: t.update({"model/bias": torch.zeros(3)})),
        r"bias: received float32 \(3,\), expected float32 \(2,\)",
    ),
    "dtype": (
        tensors_with(lambda t: t.update({"model/bias": torch.zeros(2, dtype=torch.float64)})),
        "bias: received float64",
    ),
    "one less": (tensors_with(lambda t: _ignore(t.pop("model/bias"))), "bias is missing"),
    "one more": (
        tensors_with(lambda t: t.update({"model/x": torch.zeros(2)})),
        "'x' is no known tensor",
    ),
    "moments": (
        tensors_with(lambda t: t.update({"optimizer/9/step": torch.zeros(1)})),
        "optimizer/'9/step'",
    ),
}


def _ignore(_: object) -> None:
    """Turn an expression into one without a value."""


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_point_is_named_with_the_way_out(tmp_path: Path, kind: str) -> None:
    model = layer()
    noted(tmp_path, model, 1, step=1)
    damage, message = DAMAGES[kind]
    damage(tmp_path / "step-000000001")
    with pytest.raises(InputError, match=f"{message}.*Start again with --overwrite"):
        read_note(tmp_path, model)


def test_a_point_is_no_pickle(tmp_path: Path) -> None:
    point = ResumePoint({"model": {"a": torch.ones(1)}}, RECORD)
    write_point(tmp_path, point, step=3, optimizer=SGD(layer().parameters()))
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["state.json", "tensors.safetensors"]
    assert json.loads((folder / "state.json").read_text()) == RECORD


def test_a_full_disk_keeps_the_last_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = SGD(layer().parameters())
    write_point(tmp_path, ResumePoint({}, {}), step=1, optimizer=optimizer)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("peftide.resume_points.save_file", full)
    with pytest.raises(StorageError, match="no space left"):
        write_point(tmp_path, ResumePoint({}, {}), step=2, optimizer=optimizer)
    assert [path.name for path in tmp_path.iterdir()] == ["step-000000001"]
