"""The starting point of a training: data, labels and an adapted model on a device."""

import dataclasses
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from peftide.adapters import ADAPTERS, check_method
from peftide.adapters.adapter import Adapter
from peftide.backbones import Backbone, cut_below_training, layers_of
from peftide.backbones.backbone import Origin
from peftide.backbones.int8_products import hold_frozen
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.unirep import UniRepBackbone
from peftide.baselines import SubstitutionScores
from peftide.bundle import Recipe, build_model, check_same_backbone
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.evaluation.answering import Answering
from peftide.evaluation.decisions import DEFAULT_THRESHOLD, Decisions
from peftide.files import write_json
from peftide.hardware import Hardware
from peftide.model import ProteinModel
from peftide.outputs import read_record
from peftide.parameters import trained_parameters
from peftide.predictor import Predictor
from peftide.quantities import byte_size, count_of
from peftide.run_decisions import decided, settled_token_budget
from peftide.run_folder import RunFolder, run_to_resume
from peftide.saved import OTHER_KEYS_ALLOWED, read_json
from peftide.sequences import Dataset, Proteins
from peftide.sequences.dataset import member_proteins
from peftide.sequences.training_tables import TrainingTables
from peftide.tasks import Task
from peftide.training.options import chosen_head
from peftide.training.parts import cached_rows
from peftide.training.problem import Problem, read_problem, seen_by
from peftide.training.token_budget import measured_token_budget
from peftide.training.variants import fit_ridge
from peftide.types import FloatArray, IntArray

logger = logging.getLogger(__name__)

SCALING_PROTEINS = 512


@dataclass(frozen=True)
class Begun:
    """The part of `run.json` that names the backbone of a training that has begun."""

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    origin: Origin | None = None


@dataclass(frozen=True)
class Setting:
    """A model on a device, ready to train on a problem.

    Attributes
    ----------
    embeddings
        Embeddings of all proteins if only the head trains, else None.
    scores
        Scores of substitutions by the backbone before training, for variants of one protein.
    """

    config: TrainConfig
    problem: Problem
    encoder: ModelEncoder
    embeddings: Embeddings | None
    scores: SubstitutionScores | None = None

    @property
    def model(self) -> ProteinModel:
        """The model that trains."""
        return self.encoder.model

    @property
    def hardware(self) -> Hardware:
        """Device, precision and token budget."""
        return self.encoder.hardware

    def predictor(self, decisions: Decisions | None = None) -> Predictor:
        """Return the predictor of the current model."""
        answering = Answering(self.problem.task, self.problem.labels, decisions or Decisions())
        return Predictor(self.encoder, answering)

    def logits(self, part: str) -> FloatArray:
        """Return the logits of the current model for a part. Shape (R, K)."""
        examples, proteins = self.problem.dataset.parts[part], self.problem.dataset.proteins
        if self.embeddings is not None:
            return self.predictor().answer(self.embeddings, examples.members)
        named, members = member_proteins(examples, proteins)
        predictor = self.predictor()
        return predictor.answer(predictor.encode(named.sequences, ids=named.ids), members)

    def measure(self, part: str) -> dict[str, Any]:
        """Return the metrics of the current model on a part, before calibration."""
        problem, targets = self.problem, self.problem.targets[part]
        answers = self.predictor().answering.answers(self.logits(part))
        return problem.task.outcome.metrics(
            targets.values[targets.counted],
            answers[targets.counted],
            problem.labels,
            threshold=DEFAULT_THRESHOLD,
        )


def find_adapter(name: str) -> Adapter:
    """Return a method by name.

    Raises
    ------
    InputError
        If no method has this name.
    """
    check_method(name)
    return ADAPTERS[name]


def prepare(
    config: TrainConfig,
    task: Task,
    tables: TrainingTables | None = None,
    *,
    dtype: torch.dtype = torch.float32,
) -> tuple[Problem, Backbone]:
    """Read data and labels and adapt the backbone, so that errors in them come first.

    With `--layer auto`, the backbone is whole and not adapted yet.
    """
    problem = read_problem(config, task, tables)
    backbone = load_backbone(config.backbone, options=load_options(config, dtype))
    folder = run_to_resume(config)
    if folder is not None:
        begun = read_json(folder.record, Begun, fix="Start again with --overwrite")
        if begun.origin is not None:
            check_same_backbone(backbone, begun.origin, where="--resume")
    problem = seen_by(backbone, problem, max_length=config.max_length)
    if backbone.origin.is_random:
        logger.warning(
            "note: the weights of %s are RANDOM and only useful for trying things out; "
            "for results, use a pretrained --backbone",
            config.backbone,
        )
    if config.layer != "auto":
        adapt(backbone, config)
    return problem, backbone


def adapted_backbone(config: TrainConfig, dtype: torch.dtype) -> Backbone:
    """Load the backbone of a training and adapt it; `dtype` is the type of its products."""
    backbone = load_backbone(config.backbone, options=load_options(config, dtype))
    adapt(backbone, config)
    return backbone


def load_options(config: TrainConfig, dtype: torch.dtype = torch.float32) -> LoadOptions:
    """Return how the backbone of a training is loaded.

    Parameters
    ----------
    dtype
        Type of the products; a method that reads no matrix can load them in it.
    """
    return LoadOptions(
        offline=config.offline,
        allow_bin=config.allow_bin,
        base_bits=config.base_bits,
        layer=layer_number(config),
        dtype=dtype if ADAPTERS[config.method].takes_quantised else torch.float32,
    )


def layer_number(config: TrainConfig) -> int | None:
    """Return the layer after which the backbone ends, or None for the whole backbone."""
    return config.layer if isinstance(config.layer, int) else None


def adapt(backbone: Backbone, config: TrainConfig) -> None:
    """Apply the method to the backbone; new weights are drawn with the seed of the run.

    Raises
    ------
    InputError
        If the backbone lacks the layers or modules that the options name.
    """
    torch.manual_seed(config.seed)
    find_adapter(config.method).apply(backbone, config)


def build_setting(
    config: TrainConfig,
    problem: Problem,
    backbone: Backbone,
    *,
    hardware: Hardware,
    folder: RunFolder,
    scaling: Mapping[str, Tensor] | None = None,
) -> Setting:
    """Build the model around the adapted backbone; embed all proteins if only the head trains.

    Parameters
    ----------
    scaling
        Tensors of the scaling, if another process has fitted it.
    """
    encoder = build_encoder(config, problem, backbone, hardware=hardware, folder=folder)
    scores = fit_ridge(encoder, problem)
    embeddings = None
    store = config.embedding_cache or folder.checkpoints / "embeddings"
    proteins = problem.dataset.proteins
    if not trains_below_head(encoder.model):
        embeddings = encoder.embed(proteins.sequences, store=store, ids=proteins.ids)
    elif not config.shard_backbone:
        repeated = repeated_proteins(problem.dataset)
        encoder.keep_trunk(
            repeated.sequences,
            store=store,
            limit=config.trunk_gb * 1e9,
            ids=repeated.ids,
            decide=partial(decided, folder, "trunk_cache"),
        )
    setting = Setting(config, problem, encoder, embeddings, scores)
    if scaling is None:
        fit_scaling(setting)
    else:
        encoder.model.scaling.load_state_dict(dict(scaling))
    return setting


def build_encoder(
    config: TrainConfig,
    problem: Problem,
    backbone: Backbone,
    *,
    hardware: Hardware,
    folder: RunFolder,
    layers_each: float = 1.0,
) -> ModelEncoder:
    """Return the encoder of a new model around the adapted backbone, with its token budget.

    Parameters
    ----------
    layers_each
        Number of layers that each layer of this backbone represents.
    """
    if config.truncate is not None:
        truncate(backbone, config.truncate)
    if config.gradient_checkpointing:
        option = "--gradient-checkpointing"
        layers_of(backbone, where=option, fix="Leave it out").recompute_activations()
    hold_frozen(backbone, hardware.precision)
    recipe = recipe_of(config, problem)
    model = build_model(recipe, problem.labels, backbone).to(hardware.device)
    encoder = ModelEncoder(model, hardware, max_length=config.max_length)
    encoder.layers_each = layers_each

    def choose() -> int:
        if config.max_tokens != "measured":
            return encoder.hardware.max_tokens
        graph, dataset = trains_below_head(model), problem.dataset
        texts = (repeated_proteins(dataset) if graph else dataset.proteins).sequences
        cut = cut_below_training(backbone) if graph and config.trunk_gb else 0
        return measured_token_budget(
            encoder, list(dict.fromkeys(texts)), graph=graph, cut=cut, layers_each=layers_each
        )

    encoder.hardware = replace(
        hardware, max_tokens=settled_token_budget(folder, choose, precision=hardware.precision)
    )
    record = read_record(folder.record)
    if record and hardware.processes.is_first:
        origin = dataclasses.asdict(backbone.origin)
        write_json(
            folder.record, record | {"hardware": encoder.hardware.describe(), "origin": origin}
        )
    return encoder


def truncate(backbone: Backbone, residues: int) -> None:
    """Let gradients flow back through so many residues of a recurrent backbone."""
    assert isinstance(backbone, UniRepBackbone)  # `check_options` refuses others
    backbone.truncate(residues)
    logger.info(
        "gradients flow back through %s; training keeps the activations of as many of each "
        "sequence: %s for each sequence of a batch",
        count_of(residues, "residue"),
        byte_size(backbone.segment_bytes),
    )


def repeated_proteins(dataset: Dataset) -> Proteins:
    """Return the proteins of train and validation, which every epoch encodes."""
    parts = [dataset.parts[part].members.ravel() for part in ("train", "validation")]
    used, proteins = np.unique(np.concatenate(parts)), dataset.proteins
    return Proteins(
        tuple(proteins.ids[index] for index in used),
        tuple(proteins.sequences[index] for index in used),
    )


def trains_below_head(model: ProteinModel) -> bool:
    """Return whether the inputs of the head change during training."""
    return any(name.startswith(("backbone", "pooling")) for name in trained_parameters(model))


def recipe_of(config: TrainConfig, problem: Problem) -> Recipe:
    """Return the options that define the architecture of the model."""
    wild_type = problem.dataset.variants_of
    return Recipe(
        task=config.task,
        method=config.method,
        backbone=config.backbone,
        pooling=config.pooling,
        pairing=config.pairing,
        head=chosen_head(config),
        head_width=config.head_width,
        head_dropout=config.head_dropout,
        max_length=config.max_length,
        base_bits=config.base_bits,
        layer=layer_number(config),
        seeds=config.seeds,
        wild_type=None if wild_type is None else wild_type.sequence,
        offset=0 if wild_type is None else wild_type.offset,
    )


def fit_scaling(setting: Setting) -> None:
    """Fit the scaling on the training proteins, or on a sample if they are not embedded yet."""
    train = np.unique(setting.problem.dataset.parts["train"].members)
    if setting.embeddings is not None:
        source = cached_rows(setting.embeddings, setting.hardware.device)
        chosen = train
        if source.counts[train].sum() > len(train):
            chosen = _sample(train, setting.config.seed)
        setting.model.scaling.fit(source.rows(chosen))
        return
    proteins = setting.problem.dataset.proteins
    chosen = _sample(train, setting.config.seed)
    embeddings = setting.encoder.embed(
        [proteins.sequences[index] for index in chosen],
        ids=[proteins.ids[index] for index in chosen],
    )
    setting.model.scaling.fit(embeddings.rows.to(setting.hardware.device))


def _sample(proteins: IntArray, seed: int) -> IntArray:
    count = min(SCALING_PROTEINS, len(proteins))
    return np.sort(np.random.default_rng(seed).choice(proteins, count, replace=False))
