"""The state of a training, and the resume points from which a killed training continues."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor, nn
from torch.optim import Optimizer

from peftide.errors import InputError
from peftide.parameters import trained_parameters
from peftide.resume_points import START_AGAIN, ResumePoint, read_point, write_point


@dataclass
class TrainingProgress:
    """The progress of a training; random numbers need no state, because each step has a seed.

    Attributes
    ----------
    steps
        Number of optimizer steps of the whole training, without early stopping; 0 if unknown.
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

    steps: int = 0
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


class Stateful(Protocol):
    """A part of a training that changes with its steps."""

    def state(self) -> dict[str, Tensor]:
        """Return its tensors."""
        ...

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Take the tensors of a resume point."""
        ...


def save_point(
    folder: Path,
    state: TrainingState,
    *,
    model: nn.Module,
    optimizer: Optimizer,
    others: Mapping[str, Stateful] | None = None,
) -> None:
    """Write a resume point atomically, then remove older ones.

    Parameters
    ----------
    others
        Name → another part whose state is kept.
    """
    record = {f.name: getattr(state, f.name) for f in dataclasses.fields(TrainingProgress)}
    tensors = {"model": trained_parameters(model), "best": state.best}
    tensors |= {name: other.state() for name, other in (others or {}).items()}
    write_point(folder, ResumePoint(tensors, record), step=state.step, optimizer=optimizer)


def load_point(
    folder: Path,
    *,
    model: nn.Module,
    optimizer: Optimizer,
    steps: int,
    others: Mapping[str, Stateful] | None = None,
) -> TrainingState:
    """Read the last resume point into model, optimizer and others; a new state if there is none.

    Parameters
    ----------
    steps
        Number of optimizer steps of the whole training.

    Raises
    ------
    InputError
        If a part of the resume point is missing, or a version of peftide with other steps wrote it.
    """
    point = read_point(folder, model=model, optimizer=optimizer, form=TrainingProgress)
    if point is None:
        return TrainingState(steps)
    if point.record["steps"] != steps:
        raise _other_version(point.record["steps"], steps, folder=folder)
    for name, other in (others or {}).items():
        found = point.tensors.get(name, {})
        if not found and other.state():
            raise InputError(f"the resume point has no {name}", where=folder, fix=START_AGAIN)
        other.restore(found)
    return TrainingState(**point.record, best=dict(point.tensors.get("best", {})))


def _other_version(found: int, steps: int, *, folder: Path) -> InputError:
    """Return the error about another number of steps, as options and data are the same."""
    before = f" with {found:,} optimizer steps" if found else ""
    return InputError(
        f"another version of peftide began this training{before}; this version takes other steps "
        f"({steps:,})",
        where=folder,
        fix="Finish the run with that version, or start again with --overwrite",
    )
