"""Resume points: tensors, an optimizer's moments and a record, as safetensors and JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from peftide.errors import InputError
from peftide.files import remove, written_whole
from peftide.parameters import restore_trained, trained_parameters
from peftide.saved import check_tensors, read_json, shown, tensor_errors

POINT_PATTERN = "step-*"
MODEL, BEST, MOMENTS = "model", "best", "optimizer"
ADAM_MOMENTS = {"step", "exp_avg", "exp_avg_sq"}
START_AGAIN = "Start again with --overwrite; if you have a copy of the folder, restore it"


def seed_step(seed: int, step: int, process_rank: int = 0) -> None:
    """Seed the random numbers of one step, so that a resumed run draws the same ones.

    Parameters
    ----------
    process_rank
        Number of the process; each has other examples and draws other numbers.
    """
    number = seed * 1_000_003 + step + (process_rank << 40)
    if torch.accelerator.is_available():
        torch.manual_seed(number)
    else:  # `manual_seed` takes 0.1 ms to note who seeds the GPUs: a tenth of a head's step
        torch.default_generator.manual_seed(number)


@dataclass(frozen=True)
class ResumePoint:
    """The state of a training, except the state of its optimizer.

    Attributes
    ----------
    tensors
        Group → name → tensor. A group's name has no `/`, and is not `optimizer`. `model` holds the
        trained parameters, `best` other values of the same.
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


def read_point(
    folder: Path, *, model: nn.Module, optimizer: Optimizer, form: type
) -> ResumePoint | None:
    """Return the last resume point, and restore trained parameters and the optimizer's moments.

    Parameters
    ----------
    form
        Dataclass whose fields are the keys of the record.

    Returns
    -------
    None if there is no resume point.

    Raises
    ------
    InputError
        If a file of the resume point is damaged or does not fit the model.
    """
    points = sorted(folder.glob(POINT_PATTERN))
    if not points:
        return None
    path = points[-1] / "tensors.safetensors"
    with tensor_errors(path, fix=START_AGAIN):
        stored = load_file(path)
    groups: dict[str, dict[str, Tensor]] = {}
    for key, value in stored.items():
        group, _, name = key.partition("/")
        groups.setdefault(group, {})[name] = value
    record = read_json(points[-1] / "state.json", form, finite=False, fix=START_AGAIN)
    trained = trained_parameters(model)
    for group in [MODEL, *({BEST} & set(groups))]:
        check_tensors(groups.get(group, {}), trained, path=path, fix=START_AGAIN)
    _restore_moments(optimizer, groups.pop(MOMENTS, {}), path=path)
    restore_trained(model, groups[MODEL])
    return ResumePoint(groups, vars(record))


def _moments(optimizer: Optimizer) -> dict[str, Tensor]:
    return {
        f"{number}/{name}": value
        for number, values in optimizer.state_dict()["state"].items()
        for name, value in values.items()
    }


def _restore_moments(optimizer: Optimizer, tensors: Mapping[str, Tensor], *, path: Path) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition("/")
        is_known = number.isdecimal() and int(number) < len(parameters)
        if not is_known or value.numel() not in (1, parameters[int(number)].numel()):
            raise InputError(
                f"{MOMENTS}/{shown(key)} {tuple(value.shape)} fits no trained parameter",
                where=path,
                fix=START_AGAIN,
            )
        moments.setdefault(int(number), {})[name] = value
    if isinstance(optimizer, Adam):
        for number, found in moments.items():
            if set(found) != ADAM_MOMENTS:
                raise InputError(
                    f"{MOMENTS}/{number}: received {', '.join(sorted(found))}",
                    expected=", ".join(sorted(ADAM_MOMENTS)),
                    where=path,
                    fix=START_AGAIN,
                )
    optimizer.load_state_dict(optimizer.state_dict() | {"state": moments})
