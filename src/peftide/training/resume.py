"""The state of a training, and the resume points from which a killed training continues."""

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer

from peftide.adapters.adapter import Steering
from peftide.optimizer import LossScale
from peftide.parameters import trained_parameters
from peftide.resume_points import ResumePoint, read_point, write_point


@dataclass
class TrainingProgress:
    """The progress of a training; random numbers need no state, because each step has a seed.

    Attributes
    ----------
    epoch, batch
        The next batch to train on.
    step
        Number of finished optimizer steps.
    loss_sum
        Sum of the losses of this epoch's batches.
    best_score, best_epoch
        Best validation score so far.
    seconds
        Training time so far, summed over all resumed calls.
    history
        One row per epoch.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best_score: float = float("-inf")
    best_epoch: int = -1
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class TrainingState(TrainingProgress):
    """The progress of a training, and its best weights.

    Attributes
    ----------
    best
        Trained parameters of the best epoch.
    """

    best: dict[str, Tensor] = field(default_factory=dict)


def save_point(
    folder: Path,
    state: TrainingState,
    *,
    model: nn.Module,
    optimizer: Optimizer,
    steering: Steering | None = None,
    scale: LossScale | None = None,
) -> None:
    """Write a resume point atomically, then remove older ones."""
    record = {f.name: getattr(state, f.name) for f in dataclasses.fields(TrainingProgress)}
    tensors = {"model": trained_parameters(model), "best": state.best}
    tensors["steering"] = steering.state() if steering else {}
    tensors["loss_scale"] = scale.state() if scale else {}
    write_point(folder, ResumePoint(tensors, record), step=state.step, optimizer=optimizer)


def load_point(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: Optimizer,
    steering: Steering | None = None,
    scale: LossScale | None = None,
) -> TrainingState:
    """Read the last resume point into model and optimizer; a new state if there is none."""
    point = read_point(folder, model=model, optimizer=optimizer, form=TrainingProgress)
    if point is None:
        return TrainingState()
    if steering:
        steering.restore(point.tensors.get("steering", {}))
    if scale and "loss_scale" in point.tensors:
        scale.restore(point.tensors["loss_scale"])
    return TrainingState(**point.record, best=dict(point.tensors.get("best", {})))
