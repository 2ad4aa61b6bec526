"""What the options of all commands are made of: a field with its doc string, and shared options."""

from dataclasses import MISSING, dataclass, field
from pathlib import Path
from typing import Any, Literal

from peftide.config.reading import coerce_fields


def option(default: Any = MISSING, *, doc: str, **extra: Any) -> Any:
    """Return a dataclass field with its one-line doc string; without default it is required."""
    return field(default=default, metadata={"doc": doc, **extra})


@dataclass(frozen=True, kw_only=True)
class CommonOptions:
    """Options that every command shares."""

    seed: int = option(0, doc="seed of every random choice")
    threads: int | None = option(None, doc="CPU threads; default: all cores of this machine")
    overwrite: bool = option(
        False, doc="replace what peftide wrote to --out before (a run: as soon as a new one begins)"
    )
    strict: bool = option(
        False, doc="contradictory labels, and ids reused for another sequence, are errors"
    )
    debug: bool = option(False, doc="show the full trace of an error")

    def __post_init__(self) -> None:
        """Turn text into paths, lists into tuples, and refuse values of the wrong kind."""
        coerce_fields(self)


@dataclass(frozen=True, kw_only=True)
class RunOptions(CommonOptions):
    """Options of the commands that run a model."""

    device: str = option("auto", doc="auto, cpu, cuda, cuda:1, mps …")
    precision: Literal["auto", "fp32", "bf16"] = option(
        "auto", doc="arithmetic; auto takes bf16 where the hardware multiplies it natively"
    )
    max_tokens: int | Literal["auto", "measured"] = option(
        "auto",
        doc="token budget of one packed batch; auto: 2,048 on a CPU, 16,384 on a GPU; measured: a "
        "training compares a few budgets and takes a faster one, or one that fits",
    )
    offline: bool = option(False, doc="never open a network connection")
    allow_bin: bool = option(
        False, doc="accept a checkpoint that has only pytorch_model.bin (converted once)"
    )


@dataclass(frozen=True, kw_only=True)
class TableOptions(CommonOptions):
    """Options of the commands that read a table."""

    sequences: Path | None = option(
        None, doc="FASTA file with the sequences that the table names by id (.gz and .xz are read)"
    )
    id_column: str = option("id", doc="column with the id of a single sequence")
    id_a_column: str = option("id_a", doc="column with the id of the first protein of a pair")
    id_b_column: str = option("id_b", doc="column with the id of the second protein of a pair")
    sequence_column: str = option("sequence", doc="column with a single sequence")
    sequence_a_column: str = option("sequence_a", doc="column with the first sequence of a pair")
    sequence_b_column: str = option("sequence_b", doc="column with the second sequence of a pair")
    label_column: str = option("label", doc="column with the label")
    split_column: str = option("split", doc="column that names the part a row belongs to")
    cluster_column: str = option(
        "cluster", doc="column with the cluster of a single sequence; intervals resample clusters"
    )
    mask_column: str = option("mask", doc="column with 0/1 per residue; 0 is left out")
    missing: Literal["error", "drop"] = option(
        "error", doc="rows whose id has no sequence: an error, or dropped and counted"
    )
    self_pairs: Literal["exclude", "keep"] = option(
        "exclude", doc="pairs of a protein with itself: left out of training and metrics, or kept"
    )
