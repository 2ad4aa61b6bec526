"""Data, labels and an adapted model on a device: everything a training starts from."""

import logging
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import torch

from peftide.adapters import ADAPTERS, Adapter, AdapterOptions
from peftide.backbones import Backbone, cut_below_training, layers_of
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.bundle import Recipe, build_model
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder, backbone_findings, checked_max_length
from peftide.engine.embedding import Embeddings
from peftide.errors import InputError, did_you_mean
from peftide.evaluation.tables import measure
from peftide.files import write_json
from peftide.hardware import Hardware
from peftide.model import ProteinModel
from peftide.outputs import read_record
from peftide.parameters import trained_parameters
from peftide.planning.token_budget import choose_token_budget
from peftide.run_folder import RunFolder
from peftide.sequences import Dataset
from peftide.sequences.dataset import member_proteins
from peftide.sequences.findings import say_findings
from peftide.sequences.training_tables import read_training_data
from peftide.tasks import TASKS, Labels, Targets, Task
from peftide.tasks.reading import read_labels
from peftide.training import answer_rows, cached_rows
from peftide.types import FloatArray, IntArray

logger = logging.getLogger(__name__)

SCALING_PROTEINS = 512
ADAPTER_OPTIONS = "lora_"
"""How the names of the options begin that only some methods read."""


@dataclass(frozen=True)
class Problem:
    """A data set with its labels as numbers."""

    task: Task
    dataset: Dataset
    labels: Labels
    targets: dict[str, Targets]


@dataclass(frozen=True)
class Setting:
    """A model on a device, ready to train on a problem.

    Attributes
    ----------
    embeddings
        Rows of all proteins if nothing below the head trains, else None.
    """

    config: TrainConfig
    problem: Problem
    encoder: ModelEncoder
    hardware: Hardware
    embeddings: Embeddings | None

    @property
    def model(self) -> ProteinModel:
        """The model that trains."""
        return self.encoder.model

    def logits(self, part: str) -> FloatArray:
        """Return the logits of a part by the model as it stands, each protein encoded once."""
        examples, proteins = self.problem.dataset.parts[part], self.problem.dataset.proteins
        embeddings, members = self.embeddings, examples.members
        if embeddings is None:
            named, members = member_proteins(examples, proteins)
            embeddings = self.encoder.embed(named.sequences)
        return answer_rows(self.model, embeddings, members, device=self.hardware.device)

    def measure(self, part: str, *, threshold: float = 0.5) -> dict[str, Any]:
        """Return the metrics of a part by the model as it stands."""
        problem = self.problem
        return measure(
            problem.task,
            problem.targets[part],
            self.logits(part),
            labels=problem.labels,
            threshold=threshold,
        )


def find_task(name: str) -> Task:
    """Return a task by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in TASKS:
        raise InputError(f"received {name!r}", where="--task", fix=did_you_mean(name, TASKS))
    return TASKS[name]


def find_adapter(name: str) -> Adapter:
    """Return a method by name.

    Raises
    ------
    InputError
        If there is none of that name.
    """
    if name not in ADAPTERS:
        raise InputError(f"received {name!r}", where="--method", fix=did_you_mean(name, ADAPTERS))
    return ADAPTERS[name]


def unread_options(config: TrainConfig) -> list[str]:
    """Return the adapter options that were given, but that the method does not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> unread_options(TrainConfig(task="ppi", out=Path("run"), method="head", lora_r=4))
    ['lora_r']
    """
    reads = find_adapter(config.method).reads
    return [
        item.name
        for item in fields(config)
        if item.name.startswith(ADAPTER_OPTIONS)
        and item.name not in reads
        and getattr(config, item.name) != item.default
    ]


def for_method(config: TrainConfig, method: str) -> TrainConfig:
    """Return the same training by another method, without the options that it does not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> config = for_method(TrainConfig(task="ppi", out=Path("run"), lora_r=4), "head")
    >>> config.method, config.lora_r
    ('head', 8)
    """
    other = replace(config, method=method)
    unread = unread_options(other)
    return replace(other, **{i.name: i.default for i in fields(other) if i.name in unread})


def prepare(config: TrainConfig, task: Task) -> tuple[Problem, Backbone]:
    """Read data and labels, adapt the backbone: all that can be wrong before work begins."""
    problem = read_problem(config, task)
    backbone = load_backbone(config.backbone, options=load_options(config))
    problem = seen_by(backbone, problem, max_length=config.max_length)
    if backbone.origin.is_random:
        logger.warning(
            "note: the weights of %s are RANDOM: good for trying things out; "
            "for results name a trained --backbone",
            config.backbone,
        )
    adapt(backbone, config)
    return problem, backbone


def load_options(config: TrainConfig) -> LoadOptions:
    """Return how the backbone of a training is loaded."""
    return LoadOptions(
        offline=config.offline, allow_bin=config.allow_bin, base_bits=config.base_bits
    )


def read_problem(config: TrainConfig, task: Task) -> Problem:
    """Read data and labels; no backbone has seen them yet."""
    dataset = read_training_data(config, task.level)
    labels, targets = read_labels(
        dataset, task, max_length=config.max_length, class_map=config.class_map
    )
    return Problem(task, dataset, labels, targets)


def seen_by(backbone: Backbone, problem: Problem, *, max_length: int | None) -> Problem:
    """Return the problem with what a backbone will not see of it counted, and said."""
    dataset, targets = problem.dataset, problem.targets
    max_length = checked_max_length(backbone.max_residues, max_length)
    findings = dataset.findings + backbone_findings(
        dataset.proteins, backbone, max_length=max_length
    )
    findings += tuple(finding for part in targets.values() for finding in part.findings)
    say_findings(findings)
    return replace(problem, dataset=replace(dataset, findings=findings))


def adapt(backbone: Backbone, config: TrainConfig) -> None:
    """Make trainable what the method trains, with random numbers of the run's seed.

    Raises
    ------
    InputError
        If the backbone has no such layers or modules.
    """
    torch.manual_seed(config.seed)
    options = AdapterOptions(
        lora_r=config.lora_r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        targets=config.lora_targets,
        layers=config.lora_layers,
    )
    find_adapter(config.method).apply(backbone, options)


def build_setting(
    config: TrainConfig,
    problem: Problem,
    backbone: Backbone,
    *,
    hardware: Hardware,
    folder: RunFolder,
) -> Setting:
    """Build the model around the adapted backbone, and embed what never changes."""
    if config.gradient_checkpointing:
        option = "--gradient-checkpointing"
        layers_of(backbone, where=option, fix="Leave it out").recompute_activations()
    model = build_model(recipe_of(config), problem.labels, backbone).to(hardware.device)
    encoder = ModelEncoder(model, hardware, max_length=config.max_length)
    embeddings = None
    store = config.embedding_cache or folder.checkpoints / "embeddings"
    hardware = recorded_hardware(config, problem, encoder, folder=folder)
    encoder.hardware = hardware
    if not trains_below_head(model):
        embeddings = encoder.embed(problem.dataset.proteins.sequences, store=store)
    else:
        repeated = repeated_sequences(problem.dataset)
        encoder.keep_trunk(repeated, store=store, limit=config.trunk_gb * 1e9)
    setting = Setting(config, problem, encoder, hardware, embeddings)
    fit_scaling(setting)
    return setting


def recorded_hardware(
    config: TrainConfig,
    problem: Problem,
    encoder: ModelEncoder,
    *,
    folder: RunFolder,
) -> Hardware:
    """Return the hardware with the token budget of the run, which its record holds from here on.

    A run that goes on takes the budget that it began with, so that its batches are the same.
    """
    hardware, record = encoder.hardware, read_record(folder.record)
    before = record.get("hardware", {})
    if before.get("device") == str(hardware.device):
        return replace(hardware, max_tokens=before["max_tokens"])
    cache, everyone = config.embedding_cache, problem.dataset.proteins.sequences
    frozen = not trains_below_head(encoder.model)
    is_done = frozen and cache is not None and encoder.has_stored(everyone, cache)
    if config.max_tokens == "auto" and not is_done:
        hardware = with_token_budget(config, problem, encoder)
    if record:
        write_json(folder.record, record | {"hardware": hardware.describe()})
    return hardware


def with_token_budget(
    config: TrainConfig, problem: Problem, encoder: ModelEncoder, *, layers_each: float = 1
) -> Hardware:
    """Return the hardware with the token budget that is measured to be best for a training.

    Parameters
    ----------
    layers_each
        Layers that one of the model's stands for.
    """
    sequences, epochs, cut = problem.dataset.proteins.sequences, 0, 0
    backbone = encoder.model.backbone
    if trains_below_head(encoder.model):
        sequences, epochs = repeated_sequences(problem.dataset), config.epochs
        cut = cut_below_training(backbone) if config.trunk_gb else 0
    budget = choose_token_budget(
        encoder, list(dict.fromkeys(sequences)), epochs=epochs, cut=cut, layers_each=layers_each
    )
    return replace(encoder.hardware, max_tokens=budget)


def repeated_sequences(dataset: Dataset) -> list[str]:
    """Return the distinct sequences that every epoch encodes: those of train and validation."""
    parts = [dataset.parts[part].members.ravel() for part in ("train", "validation")]
    return [dataset.proteins.sequences[index] for index in np.unique(np.concatenate(parts))]


def trains_below_head(model: ProteinModel) -> bool:
    """Return whether the rows that the head sees change while training."""
    return any(name.startswith(("backbone", "pooling")) for name in trained_parameters(model))


def recipe_of(config: TrainConfig) -> Recipe:
    """Return the options that say how the model is put together."""
    return Recipe(
        task=config.task,
        method=config.method,
        backbone=config.backbone,
        pooling=config.pooling,
        pairing=config.pairing,
        head=config.head,
        head_width=config.head_width,
        head_dropout=config.head_dropout,
        max_length=config.max_length,
        base_bits=config.base_bits,
    )


def fit_scaling(setting: Setting) -> None:
    """Fit the scaling on the training proteins, or on a sample if they must be encoded for it."""
    train = np.unique(setting.problem.dataset.parts["train"].members)
    if setting.embeddings is not None:
        source = cached_rows(setting.embeddings, setting.hardware.device)
        chosen = train
        if source.counts[train].sum() > len(train):
            chosen = _sample(train, setting.config.seed)
        setting.model.scaling.fit(source.rows(chosen))
        return
    sequences = setting.problem.dataset.proteins.sequences
    chosen = _sample(train, setting.config.seed)
    embeddings = setting.encoder.embed([sequences[index] for index in chosen])
    setting.model.scaling.fit(embeddings.rows.to(setting.hardware.device))


def _sample(proteins: IntArray, seed: int) -> IntArray:
    count = min(SCALING_PROTEINS, len(proteins))
    return np.sort(np.random.default_rng(seed).choice(proteins, count, replace=False))
