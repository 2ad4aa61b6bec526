"""Resume points: tensors, an optimizer's moments and a record, as safetensors and JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.optim import Optimizer

from peftide.files import remove, written_whole

POINT_PATTERN = "step-*"
MOMENTS = "optimizer"


def seed_step(seed: int, step: int) -> None:
    """Seed the random numbers of one step, so that a resumed run draws the same ones."""
    torch.manual_seed(seed * 1_000_003 + step)


@dataclass(frozen=True)
class ResumePoint:
    """The state of a training, except the state of its optimizer.

    Attributes
    ----------
    tensors
        Group → name → tensor. A group's name has no `/`, and is not `optimizer`.
    record
        Anything that JSON can store.
    """

    tensors: Mapping[str, Mapping[str, Tensor]]
    record: Mapping[str, Any]


def write_point(folder: Path, point: ResumePoint, *, step: int, optimizer: Optimizer) -> None:
    """Write a resume point atomically unless its step has one already, then remove older ones."""
    place = folder / f"step-{step:09d}"
    if place.is_dir():
        return
    groups = {**point.tensors, MOMENTS: _moments(optimizer)}
    tensors = {
        f"{group}/{name}": value.detach().cpu().contiguous()
        for group, values in groups.items()
        for name, value in values.items()
    }
    with written_whole(place) as partial:
        partial.mkdir(parents=True)
        save_file(tensors, partial / "tensors.safetensors")
        (partial / "state.json").write_text(json.dumps(dict(point.record)), encoding="utf-8")
    for older in sorted(folder.glob(POINT_PATTERN))[:-1]:
        remove(older)


def read_point(folder: Path, *, optimizer: Optimizer) -> ResumePoint | None:
    """Return the last resume point and restore the optimizer's moments; None if there is none."""
    points = sorted(folder.glob(POINT_PATTERN))
    if not points:
        return None
    groups: dict[str, dict[str, Tensor]] = {}
    for key, value in load_file(points[-1] / "tensors.safetensors").items():
        group, name = key.split("/", 1)
        groups.setdefault(group, {})[name] = value
    _restore_moments(optimizer, groups.pop(MOMENTS, {}))
    return ResumePoint(groups, json.loads((points[-1] / "state.json").read_text(encoding="utf-8")))


def _moments(optimizer: Optimizer) -> dict[str, Tensor]:
    return {
        f"{number}/{name}": value
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _restore_moments(optimizer: Optimizer, tensors: Mapping[str, Tensor]) -> None:
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split("/", 1)
        moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
