"""A trained model as a folder: saved, checked bit by bit, and opened again without network."""

import dataclasses
import json
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from peftide.adapters import ADAPTERS
from peftide.adapters.peft_form import ADAPTER_NAME
from peftide.backbones import Backbone
from peftide.backbones.backbone import Origin
from peftide.backbones.identity import differences
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.bundle_record import (
    BUNDLE_FILE,
    COPY_AGAIN,
    FORMAT_VERSION,
    HEAD_FILE,
    Recipe,
    answering_of,
    check_files,
    digest_of,
    model_folder,
    read_bundle_record,
)
from peftide.errors import BackboneError, InputError, StorageError
from peftide.evaluation.answering import Answering
from peftide.files import file_hash, written_whole
from peftide.heads import build_head, build_heads
from peftide.model import Parts, ProteinModel
from peftide.pairing import Alone, build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.saved import MODEL_LIBRARY_ERRORS, check_tensors, tensor_errors
from peftide.scaling import Scaling
from peftide.tasks import TASKS, Labels
from peftide.types import FloatArray
from peftide.variants.head import VariantHead
from peftide.variants.rows import MEANS, VariantRows
from peftide.version import __version__

logger = logging.getLogger(__name__)

HEAD_PARTS = ("pooling", "scaling", "head")
UNNAMED = re.compile(
    rf"(?<=lora_magnitude_vector)\.{ADAPTER_NAME}\.weight$|\.{ADAPTER_NAME}(?=\.|$)"
)
"""Part of a tensor name that peft omits when it writes an adapter with the default name."""


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
    if recipe.wild_type is not None:
        return _build_variant_model(recipe, recipe.wild_type, backbone)
    task = TASKS[recipe.task]
    pairing = build_pairing(recipe.pairing, pairs=task.level == "pair", head=recipe.head)
    pooling = build_pooling(
        recipe.pooling,
        width=backbone.width,
        per_residue=task.level == "residue",
        starts_with_token=backbone.has_summary_token,
    )
    width = backbone.width * pooling.vectors
    return ProteinModel(
        Parts(
            backbone=backbone,
            pooling=pooling,
            scaling=Scaling(width),
            pairing=pairing,
            head=build_heads(
                recipe.seeds,
                recipe.head,
                pairing=recipe.pairing,
                features=pairing.features(width),
                outputs=task.outcome.outputs(labels),
                width=recipe.head_width,
                dropout=recipe.head_dropout,
            ),
        )
    )


def _build_variant_model(recipe: Recipe, wild_type: str, backbone: Backbone) -> ProteinModel:
    """Build a model of the variants of one protein; with the head `ridge` it has no network."""
    width, network = 0, None
    if recipe.head != "ridge":
        width = backbone.width
        network = build_head(
            recipe.head,
            features=len(MEANS) * width,
            outputs=1,
            width=recipe.head_width,
            dropout=recipe.head_dropout,
        )
    pooling = VariantRows(wild_type, backbone.vocabulary, width=width, offset=recipe.offset)
    scaling = Scaling(pooling.width, unscaled=len(wild_type))
    return ProteinModel(Parts(backbone, pooling, scaling, Alone(), VariantHead(wild_type, network)))


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
        text = json.dumps(record | {"digest": digest_of(record)}, indent=2, ensure_ascii=False)
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


def load_bundle(
    folder: str | Path,
    *,
    allow_bin: bool = False,
    backbone: str | None = None,
    dtype: torch.dtype = torch.float32,
) -> Bundle:
    """Open a model folder (or a run folder's) without network, checking that no byte has changed.

    Parameters
    ----------
    backbone
        New place of the backbone if it has moved; None: the place in training.
    dtype
        Type of the products in the backbone; its frozen matrices are loaded in it where possible.

    Raises
    ------
    InputError
        If the folder holds no model, its files were changed, or its backbone differs from the one
        in training.
    """
    folder = model_folder(folder)
    record = read_bundle_record(folder)
    check_files(record, folder)
    recipe, origin = record.recipe, record.origin
    options = LoadOptions(
        offline=True,
        allow_bin=allow_bin,
        revision=origin.revision if backbone is None else None,
        base_bits=recipe.base_bits,
        layer=recipe.layer,
        dtype=dtype if ADAPTERS[recipe.method].takes_quantised else torch.float32,
    )
    found = _find_backbone(origin.name, folder, options, moved_to=backbone)
    where = folder / BUNDLE_FILE if backbone is None else "--backbone"
    check_same_backbone(found, origin, where=where)
    _load_adapter(recipe, found, folder)
    found.model.requires_grad_(False)
    model = build_model(recipe, record.labels, found)
    _load_head(model, folder)
    return Bundle(
        recipe,
        model.eval(),
        answering_of(record),
        trained_on=record.trained_on,
        validated_on=record.validated_on,
    )


def _find_backbone(
    name: str, folder: Path, options: LoadOptions, *, moved_to: str | None
) -> Backbone:
    if moved_to is not None:
        return load_backbone(moved_to, options=options)
    try:
        return load_backbone(name, options=options)
    except BackboneError as error:
        raise BackboneError(
            f"the backbone {name}, on which this model was trained, cannot be opened: {error}",
            where=folder,
            fix="Restore it at this place, or name its new place with --backbone",
        ) from error


def check_same_backbone(backbone: Backbone, recorded: Origin, *, where: str | Path) -> None:
    """Refuse a backbone other than the recorded one.

    Parameters
    ----------
    recorded
        Origin of the backbone in training.

    Raises
    ------
    InputError
        Says whether weights, vocabulary or configuration differ.
    """
    if not recorded.vocabulary_sha256:
        logger.warning(
            "note: this model was saved by an older peftide, which did not record the vocabulary "
            "and the configuration of its backbone: only its weights are checked"
        )
    differing = list(differences(backbone.origin, recorded))
    if differing:
        raise InputError(
            f"{backbone.origin.name} is not the backbone in training ({recorded.name}): "
            + ", ".join(differing),
            where=where,
            fix="Restore the original backbone or name its place with --backbone, or train again",
        )


def _load_adapter(recipe: Recipe, backbone: Backbone, folder: Path) -> None:
    try:
        with tensor_errors(folder, fix=COPY_AGAIN):
            ADAPTERS[recipe.method].load(backbone, folder)
    except (InputError, torch.OutOfMemoryError):
        raise
    except MODEL_LIBRARY_ERRORS as error:
        raise InputError(
            f"the weights do not fit the method {recipe.method} and this backbone ({error})",
            where=folder,
            fix=COPY_AGAIN,
        ) from error


def _load_head(model: ProteinModel, folder: Path) -> None:
    path = folder / HEAD_FILE
    with tensor_errors(path, fix=COPY_AGAIN):
        state = load_file(path)
    if isinstance(model.head, VariantHead):
        model.head.prepare(state, "head.")
    check_tensors(state, _head_tensors(model), path=path, fix=COPY_AGAIN)
    model.load_state_dict(state, strict=False)
