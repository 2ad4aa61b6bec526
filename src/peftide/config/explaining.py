"""The options of `peftide explain`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from peftide.config.commands import MOVED_DOC
from peftide.config.options import (
    AnswerOptions,
    CheckpointOptions,
    JoinOptions,
    ReportOptions,
    SeedOptions,
    option,
)


@dataclass(frozen=True, kw_only=True)
class ExplainConfig(JoinOptions, ReportOptions, AnswerOptions, CheckpointOptions, SeedOptions):
    """Show which residues a prediction depends on, and test whether that is true."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train`", positional=True)
    input: Path | Any = option(
        doc="table, or for single sequences a FASTA file", main=True, in_memory=True
    )
    out: Path = option(doc="folder to write", main=True)
    ids: tuple[str, ...] = option(
        (), doc="only the rows of these proteins (comma-separated ids)", main=True
    )
    partner: Literal["a", "b", "both"] = option(
        "both", doc="partner of each pair whose residues are explained", main=True
    )
    target: str | None = option(
        None, doc="class that is explained; default: the most probable one", main=True
    )
    position: int | None = option(
        None,
        doc="residue tasks: explain the answer of this residue alone, from 1",
        limit="1 or more",
        main=True,
    )
    substitutions: bool = option(True, doc="compute every single substitution", main=True)
    sites: tuple[str, ...] = option(
        (), doc="substitute only these residues, such as 20-45,60", main=True
    )
    attribution: Literal["auto", "integrated", "occlusion"] = option(
        "auto",
        doc="integrated: integrated gradients; occlusion: hide one residue at a time; auto: "
        "integrated where the backbone has layers, else occlusion",
        main=True,
    )
    format: Literal["tsv", "parquet"] = option("tsv", doc="format of the tables", main=True)
    backbone: str | None = option(None, doc=MOVED_DOC)
