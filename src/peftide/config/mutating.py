"""The options of `peftide mutate`."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from peftide.config.commands import MOVED_DOC
from peftide.config.options import AnswerOptions, CheckpointOptions, option


@dataclass(frozen=True, kw_only=True)
class MutateConfig(AnswerOptions, CheckpointOptions):
    """Score all single substitutions of the protein of a trained model, or listed mutants."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train --task variants`", positional=True)
    out: Path = option(doc="folder to write", main=True)
    mutants: Path | None = option(
        None,
        doc="table with a column mutant: score these (such as A24G:T30S) instead of all single "
        "substitutions",
        main=True,
    )
    sites: tuple[str, ...] = option(
        (), doc="only these sites, such as 20-45,60, as numbered in training", main=True
    )
    exclude_sites: tuple[str, ...] = option(
        (), doc="sites to leave out, such as 1,5-9, as numbered in training", main=True
    )
    top: int = option(
        96, doc="number of mutants in the list to order", limit="1 or more", main=True
    )
    error_rate: float = option(
        0.1, doc="share of values outside their interval", limit="above 0, below 1", main=True
    )
    backbone: str | None = option(None, doc=MOVED_DOC)
