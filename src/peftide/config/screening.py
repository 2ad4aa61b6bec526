"""The options of a screen: which proteins meet which, and which pairs are kept."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from peftide.config.commands import CACHE_DOC, MOVED_DOC
from peftide.config.options import AnswerOptions, CheckpointOptions, WorkerOptions, option


@dataclass(frozen=True, kw_only=True)
class ScreenConfig(WorkerOptions, AnswerOptions, CheckpointOptions):
    """Score all pairs of proteins with a trained model, and keep the best."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train` for pairs", positional=True)
    sequences: Path = option(doc="FASTA file of the proteins (.gz and .xz are read)", main=True)
    against: Path | None = option(
        None,
        doc="FASTA file of their possible partners; default: all pairs inside --sequences",
        main=True,
    )
    top_k: int | None = option(
        None,
        doc="partners to keep for each protein of --sequences; default: 10 without --threshold",
        limit="1 or more",
        main=True,
    )
    threshold: float | None = option(
        None, doc="lowest probability of a kept pair", limit="above 0, below 1", main=True
    )
    shortlist: int | None = option(
        None,
        doc="partners of each protein that the model scores, chosen from all pairs by a fast "
        "imitation of it; the recall is measured and printed; default: the model scores all pairs",
        limit="1 or more",
        main=True,
    )
    out: Path = option(
        doc="Parquet file to write (.parquet), which pandas, polars and R read; a name without "
        "ending is a folder of shards, for several machines",
        main=True,
    )
    resume: bool = option(
        False, doc="go on with an interrupted screen; the same command does so by itself", main=True
    )
    prevalence: float | None = option(
        None,
        doc="share of interacting pairs among the screened ones, if it differs from training",
        limit="above 0, below 1",
        main=True,
    )
    known: Path | None = option(
        None, doc="table with the columns `id_a` and `id_b` of pairs that are known", main=True
    )
    known_pairs: Literal["annotate", "drop"] = option(
        "annotate", doc="known pairs: marked in a column `known`, or left out"
    )
    self_pairs: Literal["exclude", "keep"] = option(
        "exclude", doc="pairs of a protein with itself, under whatever id: left out, or kept"
    )
    dry_run: bool = option(
        False, doc="print pairs, time and size of the screen, and write nothing", main=True
    )
    embedding_cache: Path | None = option(None, doc=CACHE_DOC, main=True)
    backbone: str | None = option(None, doc=MOVED_DOC)
    proteins_per_shard: int = option(
        4_096, doc="proteins whose hits are in one shard of a folder", limit="1 or more"
    )
