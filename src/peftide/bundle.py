"""A trained model as a folder: saved, checked bit by bit, and opened again without network."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from peftide.adapters import ADAPTERS
from peftide.adapters.peft_form import ADAPTER_NAME
from peftide.backbones import Backbone
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.errors import BackboneError, InputError, StorageError
from peftide.evaluation.answering import Answering
from peftide.evaluation.calibration import Calibration
from peftide.evaluation.conformal import Conformal
from peftide.evaluation.decisions import Decisions
from peftide.files import file_hash, written_whole
from peftide.heads import build_head
from peftide.model import Parts, ProteinModel
from peftide.pairing import build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.scaling import Scaling
from peftide.tasks import TASKS, Labels
from peftide.types import FloatArray
from peftide.version import __version__

FORMAT_VERSION = 4  # 1 had no calibration, 2 no base_bits, 3 no hashes of validation sequences
BUNDLE_FILE = "bundle.json"
HEAD_FILE = "head.safetensors"
HEAD_PARTS = ("pooling", "scaling", "head")
UNNAMED = re.compile(
    rf"(?<=lora_magnitude_vector)\.{ADAPTER_NAME}\.weight$|\.{ADAPTER_NAME}(?=\.|$)"
)
"""Part of a tensor name that peft omits when it writes an adapter with the default name."""


@dataclass(frozen=True)
class Recipe:
    """The architecture of a model, without its weights.

    Attributes
    ----------
    task, method
        Keys of `TASKS` and `ADAPTERS`.
    backbone
        Name, id or folder from which the backbone is loaded.
    pooling, pairing, head, head_width, head_dropout, max_length, base_bits
        As in `TrainConfig`.
    """

    task: str
    method: str
    backbone: str
    pooling: str
    pairing: str
    head: str
    head_width: int
    head_dropout: float
    max_length: int | None
    base_bits: int | None = None


@dataclass(frozen=True)
class Bundle:
    """A model with everything that is needed to use it.

    Attributes
    ----------
    answering
        Task, labels, and the decisions of validation.
    trained_on, validated_on
        Hashes of the training and validation sequences, to recognise them in later tables.
    """

    recipe: Recipe
    model: ProteinModel
    answering: Answering
    trained_on: frozenset[str] = field(default_factory=frozenset)
    validated_on: frozenset[str] = field(default_factory=frozenset)


def build_model(recipe: Recipe, labels: Labels, backbone: Backbone) -> ProteinModel:
    """Build a model around a backbone."""
    task = TASKS[recipe.task]
    pairing = build_pairing(recipe.pairing, pairs=task.level == "pair")
    return ProteinModel(
        Parts(
            backbone=backbone,
            pooling=build_pooling(
                recipe.pooling,
                width=backbone.width,
                per_residue=task.level == "residue",
                starts_with_token=bool(backbone.vocabulary.prefix),
            ),
            scaling=Scaling(backbone.width),
            pairing=pairing,
            head=build_head(
                recipe.head,
                features=pairing.features(backbone.width),
                outputs=task.outcome.outputs(labels),
                width=recipe.head_width,
                dropout=recipe.head_dropout,
            ),
        )
    )


def save_bundle(bundle: Bundle, folder: Path, *, probe: Callable[[], FloatArray]) -> None:
    """Write a model folder atomically, after reading it back and comparing every bit.

    Parameters
    ----------
    probe
        Returns the logits of the current model for a few examples. They must not change when the
        trained weights are wiped and loaded again from the files.

    Raises
    ------
    StorageError
        If the disk is full, or the written files differ from the model in memory.
    """
    with written_whole(folder) as partial:
        partial.mkdir(parents=True)
        ADAPTERS[bundle.recipe.method].save(bundle.model.backbone, partial)
        save_file(_head_tensors(bundle.model), partial / HEAD_FILE)
        record = _record(bundle, partial)
        text = json.dumps(record | {"digest": _digest(record)}, indent=2, ensure_ascii=False)
        (partial / BUNDLE_FILE).write_text(text + "\n", encoding="utf-8")
        _verify_tensors(bundle.model, partial)
        _verify_logits(bundle, partial, probe)


def _head_tensors(model: ProteinModel) -> dict[str, torch.Tensor]:
    return {
        name: tensor.detach().cpu().contiguous()
        for name, tensor in model.state_dict().items()
        if name.startswith(HEAD_PARTS)
    }


def _record(bundle: Bundle, folder: Path) -> dict[str, Any]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    decisions = bundle.answering.decisions
    return {
        "format_version": FORMAT_VERSION,
        "peftide_version": __version__,
        "recipe": dataclasses.asdict(bundle.recipe),
        "origin": dataclasses.asdict(bundle.model.backbone.origin),
        "labels": dataclasses.asdict(bundle.answering.labels),
        "threshold": decisions.threshold,
        "calibration": decisions.calibration.as_json(),
        "conformal": None if decisions.conformal is None else decisions.conformal.as_json(),
        "trained_on": sorted(bundle.trained_on),
        "validated_on": sorted(bundle.validated_on),
        "files": {str(path.relative_to(folder)): file_hash(path) for path in files},
    }


def _digest(record: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _verify_logits(bundle: Bundle, folder: Path, probe: Callable[[], FloatArray]) -> None:
    """Wipe the trained weights, load them from the files, and compare logits bit by bit.

    The backbone in memory is reused, so no second one is loaded.
    """
    before = probe()
    with torch.no_grad():
        for parameter in trained_parameters(bundle.model).values():
            parameter.zero_()
    ADAPTERS[bundle.recipe.method].load(bundle.model.backbone, folder)
    _load_head(bundle.model, folder)
    if not np.array_equal(before, probe()):
        raise StorageError(f"the model read back from {folder} gives different logits")


def _verify_tensors(model: ProteinModel, folder: Path) -> None:
    """Read every tensor back and compare it with the one in memory, bit by bit."""
    memory = _saved_names(model)
    for path in folder.rglob("*.safetensors"):
        for name, tensor in load_file(path).items():
            if name not in memory or not _same_bits(tensor, memory[name]):
                raise StorageError(f"{name} was read back from {path.name} with different values")


def _saved_names(model: ProteinModel) -> dict[str, torch.Tensor]:
    """Return all tensors of a model under the names that its files use."""
    names = dict(model.state_dict())
    backbone = model.backbone.model.state_dict()
    return names | backbone | {UNNAMED.sub("", name): t for name, t in backbone.items()}


def _same_bits(first: torch.Tensor, second: torch.Tensor) -> bool:
    second = second.detach().cpu()
    same_form = first.shape == second.shape and first.dtype == second.dtype
    raw = [tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (first, second)]
    return same_form and torch.equal(raw[0], raw[1])


def load_bundle(folder: str | Path, *, allow_bin: bool = False) -> Bundle:
    """Open a model folder (or a run folder's) without network, checking that no byte has changed.

    Raises
    ------
    InputError
        If the folder holds no model, its files were changed, or its backbone differs from the one
        in training.
    """
    folder = model_folder(folder)
    record = _read_record(folder)
    _check_files(record, folder)
    recipe, answering = _described(record)
    labels = answering.labels
    origin = record["origin"]
    options = LoadOptions(
        offline=True,
        allow_bin=allow_bin,
        revision=origin["revision"],
        base_bits=recipe.base_bits,
    )
    backbone = _find_backbone(origin["name"], folder, options)
    _check_backbone(backbone, origin, folder)
    ADAPTERS[recipe.method].load(backbone, folder)
    backbone.model.requires_grad_(False)
    model = build_model(recipe, labels, backbone)
    _load_head(model, folder)
    return Bundle(
        recipe,
        model.eval(),
        answering,
        trained_on=frozenset(record["trained_on"]),
        validated_on=frozenset(record.get("validated_on", ())),
    )


def read_answering(run: str | Path) -> tuple[Recipe, Answering]:
    """Return how the model of a run (or of a model folder) answers, without its weights.

    Raises
    ------
    InputError
        If the folder holds no model, or its record was changed.
    """
    return _described(_read_record(model_folder(run)))


def model_folder(run: str | Path) -> Path:
    """Return the model folder of a run folder, or the folder itself."""
    path = Path(run)
    return path / "model" if (path / "model").is_dir() else path


def _described(record: Mapping[str, Any]) -> tuple[Recipe, Answering]:
    recipe = Recipe(**record["recipe"])
    labels = Labels(**_tuples(record["labels"]))
    return recipe, Answering(TASKS[recipe.task], labels, _decisions(record))


def _decisions(record: Mapping[str, Any]) -> Decisions:
    limits = record.get("conformal")
    return Decisions(
        Calibration.from_json(record["calibration"]),
        record["threshold"],
        None if limits is None else Conformal.from_json(limits),
    )


def _tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}


def _read_record(folder: Path) -> dict[str, Any]:
    path = folder / BUNDLE_FILE
    if not path.is_file():
        raise InputError(
            f"{folder} holds no {BUNDLE_FILE}",
            expected="the run folder of a finished `peftide train`",
            fix="If that run was interrupted, finish it with `peftide train --resume --out RUN`",
        )
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        digest = record.pop("digest")
        is_newer = record.get("format_version", 0) > FORMAT_VERSION
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _changed(path) from error
    if is_newer:
        raise InputError(
            f"model format {record['format_version']}",
            expected=f"at most {FORMAT_VERSION}",
            where=path,
            fix="Install a newer peftide",
        )
    if digest != _digest(record):
        raise _changed(path)
    return record


def _check_files(record: Mapping[str, Any], folder: Path) -> None:
    for name, expected in record["files"].items():
        if not (folder / name).is_file() or file_hash(folder / name) != expected:
            raise _changed(folder / name)


def _changed(path: Path) -> InputError:
    return InputError(
        "this file of the model is missing or was changed since it was saved",
        where=path,
        fix="Copy the model folder again from where it was trained, or train again",
    )


def _find_backbone(name: str, folder: Path, options: LoadOptions) -> Backbone:
    try:
        return load_backbone(name, options=options)
    except BackboneError as error:
        raise BackboneError(
            f"the backbone {name}, on which this model was trained, cannot be opened: {error}",
            where=folder,
            fix="Restore the backbone at this place",
        ) from error


def _check_backbone(backbone: Backbone, origin: Mapping[str, Any], folder: Path) -> None:
    if backbone.origin.weights_sha256 != origin["weights_sha256"]:
        raise InputError(
            f"the weights of {origin['name']} differ from the weights in training",
            where=folder / BUNDLE_FILE,
            fix="Restore the original backbone, or train again",
        )


def _load_head(model: ProteinModel, folder: Path) -> None:
    try:
        state = load_file(folder / HEAD_FILE)
    except SafetensorError as error:
        raise _changed(folder / HEAD_FILE) from error
    _, unexpected = model.load_state_dict(state, strict=False)
    if unexpected:
        raise _changed(folder / HEAD_FILE)
