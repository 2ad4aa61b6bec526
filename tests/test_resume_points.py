"""A resume point holds tensors, moments and record exactly, whole or not at all."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim import SGD, AdamW, Optimizer

from peftide.errors import StorageError
from peftide.resume_points import ResumePoint, read_point, write_point

RECORD = {"step": 3, "loss": 0.1 + 0.2, "history": [{"epoch": 1}], "best": float("-inf")}


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
    loaded = read_point(tmp_path / "points", optimizer=fresh)
    assert loaded is not None
    assert loaded.record == RECORD
    other.load_state_dict(dict(loaded.tensors["model"]))
    assert same(model, other)
    take_step(model, optimizer, seed=2)
    take_step(other, fresh, seed=2)
    assert same(model, other)
    without = AdamW(other.parameters(), lr=0.1)
    take_step(model, optimizer, seed=3)
    take_step(other, without, seed=3)
    assert not same(model, other)  # the moments do matter


def test_groups_keep_their_names(tmp_path: Path) -> None:
    groups = {"model": {"a/b": torch.ones(2)}, "best": {"a/b": torch.zeros(3, 2).T}}
    optimizer = SGD(layer().parameters())
    write_point(tmp_path, ResumePoint(groups, {}), step=1, optimizer=optimizer)
    loaded = read_point(tmp_path, optimizer=optimizer)
    assert loaded is not None
    assert {name: list(values) for name, values in loaded.tensors.items()} == {
        "model": ["a/b"],
        "best": ["a/b"],
    }
    assert loaded.tensors["model"]["a/b"].tolist() == [1, 1]
    assert loaded.tensors["best"]["a/b"].shape == (2, 3)


def test_without_a_point_there_is_none(tmp_path: Path) -> None:
    assert read_point(tmp_path / "absent", optimizer=SGD(layer().parameters())) is None


def test_only_the_last_point_is_kept_and_half_a_point_is_none(tmp_path: Path) -> None:
    optimizer = SGD(layer().parameters())
    for step in (9, 10, 100):
        write_point(tmp_path, ResumePoint({}, {"step": step}), step=step, optimizer=optimizer)
    (tmp_path / ".step-000000101.partial-1").mkdir()
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-000000100"]
    loaded = read_point(tmp_path, optimizer=optimizer)
    assert loaded is not None
    assert loaded.record == {"step": 100}


def test_a_point_of_the_same_step_stays_as_it_is(tmp_path: Path) -> None:
    optimizer = SGD(layer().parameters())
    for text in ("first", "second"):
        write_point(tmp_path, ResumePoint({}, {"text": text}), step=1, optimizer=optimizer)
    loaded = read_point(tmp_path, optimizer=optimizer)
    assert loaded is not None
    assert loaded.record == {"text": "first"}


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
