"""The options of a comparison: the options of a training, and the methods to compare."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from peftide.config.commands import TrainConfig, as_training
from peftide.config.options import option

Layer = int | Literal["last", "auto"]
Preset = Literal["quick", "good", "thorough"]
PRESETS: dict[Preset, dict[str, Any]] = {
    "quick": {"epochs": 2, "patience": 1, "max_length": 256},
    "good": {"epochs": 8, "patience": 3, "max_length": 512},
    "thorough": {},
}
"""Preset → the options that it sets, unless the user gives them."""


@dataclass(frozen=True, kw_only=True)
class CompareConfig(TrainConfig):
    """Train several methods on one split under one budget, and rank them."""

    heading: ClassVar[str] = "options"

    methods: tuple[str, ...] = option(
        ("head", "lora", "full"), doc="methods to compare (comma-separated)", main=True
    )
    backbones: tuple[str, ...] = option(
        (), doc="backbones to compare (comma-separated); default: the one of --backbone", main=True
    )
    layers: tuple[Layer, ...] = option(
        (),
        doc="hidden layers to pool from (comma-separated: 0-based numbers, last, auto); default: "
        "the one of --layer",
    )
    seeds: int = option(
        1,
        doc="trainings of each method and backbone, with the seeds --seed, --seed + 1, …",
        limit="1 or more",
        main=True,
    )
    method: str = option("lora", doc="not read by a comparison, which takes --methods")
    preset: Preset | None = option(
        None,
        doc="budget of each training: quick (2 epochs, crops of 256 residues), good (8 epochs, "
        "crops of 512) or thorough (the defaults of `peftide train`); given options win",
        main=True,
    )
    time_limit: float | None = option(
        None,
        doc="minutes for the whole comparison: trainings that would end later are skipped",
        limit="a number above 0",
        main=True,
    )
    out: Path = option(doc="folder to write", main=True)
    resume: bool = option(False, doc="go on with an interrupted comparison in --out", main=True)


def training_options(config: CompareConfig, **changes: Any) -> TrainConfig:
    """Return the options of one training of a comparison, which has one seed.

    Examples
    --------
    >>> compared = CompareConfig(out=Path("compared"), epochs=3)
    >>> training_options(compared, method="head", out=Path("run")).epochs
    3
    """
    return as_training(config, **{"seeds": 1, **changes})
