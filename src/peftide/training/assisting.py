"""The part of a training that processes other than the first do: their share of the steps."""

import hashlib
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from torch import Tensor

from peftide.backbones import Backbone
from peftide.config import TrainConfig, to_yaml
from peftide.environment import VERSIONED
from peftide.errors import InputError
from peftide.files import text_hash
from peftide.hardware import Hardware
from peftide.parameters import trained_parameters
from peftide.run_folder import RunFolder, absolute
from peftide.training.fitting import run_fit
from peftide.training.problem import Problem
from peftide.training.setting import Setting, adapted_backbone, build_setting, find_adapter

SHOWN_HASH = 12


@dataclass(frozen=True)
class Begun:
    """What the first process tells the others when the training can begin.

    Attributes
    ----------
    path
        The run folder.
    layer
        The layer after which the backbone ends, or `last`.
    scaling
        Tensors of the scaling.
    """

    path: Path = Path()
    layer: int | str = "last"
    scaling: Mapping[str, Tensor] = field(default_factory=dict)

    @classmethod
    def of(cls, setting: Setting, folder: RunFolder) -> "Begun":
        """Return the facts of the first process."""
        scaling = {name: t.cpu() for name, t in setting.model.scaling.state_dict().items()}
        return cls(folder.path, setting.config.layer, scaling)


def assist(
    config: TrainConfig, problem: Problem, backbone: Backbone, *, hardware: Hardware
) -> None:
    """Share the optimizer steps of the training that the first process leads; write nothing.

    Raises
    ------
    InputError
        If this machine does not see the run folder.
    """
    begun = hardware.processes.first(Begun)
    folder = RunFolder(begun.path)
    if not folder.record.is_file():
        raise InputError(
            f"process {hardware.processes.process_rank} (on {platform.node()}) does not see "
            f"{folder.record}, which the first process wrote",
            where="--out",
            fix="Name a folder on a disk that all machines share, by the same path",
        )
    if config.layer != begun.layer:
        config = replace(config, layer=begun.layer)
        backbone = adapted_backbone(config, hardware.dtype)
    setting = build_setting(
        config, problem, backbone, hardware=hardware, folder=folder, scaling=begun.scaling
    )
    if trained_parameters(setting.model):
        run_fit(setting, find_adapter(config.method), folder)


def shared_facts(
    config: TrainConfig, problem: Problem, backbone: Backbone, *, hardware: Hardware
) -> dict[str, str]:
    """Return the facts that all processes of a training must have in common."""
    proteins = problem.dataset.proteins.sequences
    kept = replace(absolute(config), device="", threads=None, embedding_cache=None)
    facts = {f"version of {name}": version(name) for name in VERSIONED}
    facts |= {
        "the options": text_hash(to_yaml(kept))[:SHOWN_HASH],
        "the precision": hardware.precision,
        "the weights of the backbone": str(backbone.origin.weights_sha256)[:SHOWN_HASH],
        "the sequences": text_hash("\n".join(proteins))[:SHOWN_HASH],
    }
    for part, targets in problem.targets.items():
        members = problem.dataset.parts[part].members
        numbers = b"".join(a.tobytes() for a in (members, targets.values, targets.counted))
        facts[f"the rows of {part}"] = hashlib.sha256(numbers).hexdigest()[:SHOWN_HASH]
    return facts
