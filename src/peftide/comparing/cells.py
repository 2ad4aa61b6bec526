"""The options of a comparison → its trainings, one cell per method, backbone and seed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from peftide.backbones.names import check_backbone
from peftide.config import CompareConfig, TrainConfig
from peftide.config.comparing import PRESETS, Layer, training_options
from peftide.config.reading import flag
from peftide.config.unread import NOTHING, Names, changed_options
from peftide.errors import InputError, raise_problems
from peftide.files import text_hash
from peftide.sequences.training_tables import TrainingTables
from peftide.tasks import Task
from peftide.training.options import check_names, check_options, only_read, unread_of

PLAIN = re.compile(r"[\w.-]{1,60}")
OWN: Names = frozenset(item.name for item in fields(CompareConfig)) - frozenset(
    item.name for item in fields(TrainConfig)
)


@dataclass(frozen=True)
class Contender:
    """A row of the leaderboard: a method on a backbone, maybe cut at a layer."""

    method: str
    backbone: str
    layer: Layer = "last"

    @property
    def name(self) -> str:
        """Name of its folders.

        Examples
        --------
        >>> Contender("lora", "mini").name, Contender("lora", "random:esm2_tiny", 3).name
        ('lora_mini', 'lora_random-esm2_tiny-6a86ef_layer-3')
        """
        place = self.backbone
        if not PLAIN.fullmatch(place):
            plain = re.sub(r"[^\w.-]+", "-", place)[-40:].strip("-")
            place = f"{plain}-{text_hash(place)[:6]}"
        layer = "" if self.layer == Contender.layer else f"_layer-{self.layer}"
        return f"{self.method}_{place}{layer}"


@dataclass(frozen=True)
class Cell:
    """One training of a comparison."""

    contender: Contender
    seed: int

    def path(self, folder: Path) -> Path:
        """Return its run folder, inside the folder of the comparison."""
        return folder / "cells" / f"{self.contender.name}_seed{self.seed}"


def contenders(config: CompareConfig) -> list[Contender]:
    """Return the methods on their backbones, in the order in which they are trained."""
    backbones = config.backbones or (config.backbone,)
    layers = config.layers or (config.layer,)
    return [
        Contender(method, backbone, layer)
        for backbone in backbones
        for layer in layers
        for method in config.methods
    ]


def cells(config: CompareConfig) -> Iterator[Cell]:
    """Yield the trainings: one seed of everyone first, so that a time limit leaves all a score."""
    for seed in range(config.seed, config.seed + config.seeds):
        yield from (Cell(contender, seed) for contender in contenders(config))


def check_lists(config: CompareConfig, *, given: Names = NOTHING) -> None:
    """Raise if methods or backbones are unknown or listed twice; this needs no torch.

    Raises
    ------
    InputError
        Names the value.
    """
    problems = []
    for name in ("methods", "backbones", "layers"):
        values = getattr(config, name)
        twice = sorted({value for value in values if values.count(value) > 1})
        problems += [f"{flag(name)}: received {value} twice" for value in twice]
    if not config.methods:
        problems.append(f"{flag('methods')}: received no method")
    if "method" in given or config.method != TrainConfig.method:
        problems.append("--method: a comparison reads --methods, a list; leave --method out")
    for one, several in (("backbone", "backbones"), ("layer", "layers")):
        if getattr(config, several) and one in given:
            problems.append(f"{flag(one)}: received with {flag(several)}; expected one value")
    raise_problems(problems)
    for one in contenders(config):
        check_backbone(one.backbone)
        training = training_options(
            config, method=one.method, backbone=one.backbone, layer=one.layer
        )
        try:
            check_names(training)
        except InputError as error:
            where = {"--method": "--methods"}.get(str(error.where), error.where)
            raise InputError(
                error.received, expected=error.expected, where=where, fix=error.fix
            ) from error


def with_preset(config: CompareConfig, *, given: Names = NOTHING) -> CompareConfig:
    """Return the options with the budget of `--preset`; options that the user gave win."""
    if config.preset is None:
        return config
    named = given | changed_options(config)
    budget = {name: value for name, value in PRESETS[config.preset].items() if name not in named}
    return replace(config, **budget)


def check_contenders(
    config: CompareConfig, task: Task, tables: TrainingTables, *, given: Names = NOTHING
) -> None:
    """Raise if no training reads an option, or an option does not suit a training.

    Raises
    ------
    InputError
        Names the options.
    """
    trainings = [training_of(config, one, task) for one in contenders(config)]
    unread = [unread_of(training_options(config, method=one.method), task) for one in trainings]
    nowhere = frozenset.intersection(*unread) & (given - OWN)
    raise_problems(
        [f"{flag(name)}: none of these methods reads it; leave it out" for name in sorted(nowhere)]
    )
    for training in trainings:
        try:
            check_options(training, task, tables=tables)
        except InputError as error:
            raise InputError(f"--method {training.method}: {error}") from error


def training_of(config: CompareConfig, contender: Contender, task: Task) -> TrainConfig:
    """Return the options that a contender reads; all others have their defaults."""
    options = training_options(
        config,
        method=contender.method,
        backbone=contender.backbone,
        layer=contender.layer,
        resume=False,
        overwrite=False,
    )
    return only_read(options, task)
