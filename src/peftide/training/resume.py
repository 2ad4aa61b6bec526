"""Resume points: everything a killed run needs to go on, as safetensors and JSON."""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import AdamW

from peftide.files import remove, written_whole
from peftide.training.optimizer import copy_trained, restore_trained

POINT_PATTERN = "step-*"


@dataclass
class TrainingState:
    """Where training stands; random numbers need no state, for each step seeds its own.

    Attributes
    ----------
    epoch, batch
        The next batch to train on.
    step
        Optimizer steps done.
    loss_sum
        Sum of the losses of this epoch's batches.
    best_score, best_epoch
        Best validation score so far.
    seconds
        Training time so far, over all resumed pieces.
    history
        One row per epoch.
    best
        Trained parameters of the best epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best_score: float = float("-inf")
    best_epoch: int = -1
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)


def save_point(folder: Path, state: TrainingState, *, model: nn.Module, optimizer: AdamW) -> None:
    """Write a resume point whole, then remove older ones."""
    tensors = {f"model/{name}": value for name, value in copy_trained(model).items()}
    tensors |= {f"best/{name}": value for name, value in state.best.items()}
    tensors |= {
        f"optimizer/{number}/{name}": value.detach().cpu().clone()
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }
    record = {f.name: getattr(state, f.name) for f in dataclasses.fields(state) if f.name != "best"}
    point = folder / f"step-{state.step:09d}"
    if point.is_dir():
        return
    with written_whole(point) as partial:
        partial.mkdir(parents=True)
        save_file(tensors, partial / "tensors.safetensors")
        (partial / "state.json").write_text(json.dumps(record))
    for older in sorted(folder.glob(POINT_PATTERN))[:-1]:
        remove(older)


def load_point(folder: Path, *, model: nn.Module, optimizer: AdamW) -> TrainingState:
    """Read the last resume point into model and optimizer; a new state if there is none."""
    points = sorted(folder.glob(POINT_PATTERN))
    if not points:
        return TrainingState()
    tensors = load_file(points[-1] / "tensors.safetensors")
    restore_trained(model, _under("model/", tensors))
    _restore_optimizer(optimizer, _under("optimizer/", tensors))
    record = json.loads((points[-1] / "state.json").read_text())
    return TrainingState(**record, best=_under("best/", tensors))


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }


def _restore_optimizer(optimizer: AdamW, tensors: dict[str, Tensor]) -> None:
    content = optimizer.state_dict()
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, name = key.split("/", 1)
        moments.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict(content | {"state": moments})
