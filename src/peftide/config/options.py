"""An option: a field with its doc string; and the options that several commands share."""

import inspect
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from peftide.config.reading import check_fields, field_name
from peftide.errors import raise_problems

OVERWRITE_DOC = "replace earlier output of this command in --out, when the new output is complete"
DEBUG_DOC = "show the full trace of an error"
DIFFERENT = (
    *(("label_column", name) for name in ("sequence_column", "split_column", "mask_column")),
    *(("label_column", name) for name in ("sequence_a_column", "sequence_b_column")),
    *(("id_a_column", "id_b_column"), ("sequence_a_column", "sequence_b_column")),
)
"""Options that cannot name the same column."""
SEEDS = "0 or more, below 2,147,483,648"


def option(
    default: Any = MISSING, *, doc: str, limit: str = "", main: bool = False, **extra: Any
) -> Any:
    """Return a dataclass field with its one-line doc string; without default it is required.

    Parameters
    ----------
    limit
        Allowed range of the option, a key of `peftide.config.limits.RANGES`.
    main
        Whether a short `--help` shows the option.
    extra
        `positional=True` for an argument without flag; `repeated=FORM` for a flag that may be
        repeated; `in_memory=True` for an option that Python code may give as a DataFrame (or, for
        sequences, a mapping) instead of a path.
    """
    known = {"doc": doc, "limit": limit, "main": main or extra.get("positional", False)}
    return field(default=default, metadata=known | extra)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of all groups of options; `heading` is the title of a group in `--help`."""

    heading: ClassVar[str] = "options"

    def __post_init__(self) -> None:
        """Turn text into paths and lists into tuples, and refuse values of the wrong kind."""
        check_fields(self)


@dataclass(frozen=True, kw_only=True)
class CommonOptions(Options):
    """Options of all commands that compute and write something."""

    heading: ClassVar[str] = "this process"

    threads: int | None = option(
        None, doc="CPU threads; default: all cores of this machine", limit="1 or more"
    )
    overwrite: bool = option(False, doc=OVERWRITE_DOC)
    debug: bool = option(False, doc=DEBUG_DOC)


@dataclass(frozen=True, kw_only=True)
class SeedOptions(Options):
    """Options of the commands that make random choices."""

    heading: ClassVar[str] = "this process"

    seed: int = option(0, doc="seed of every random choice", limit=SEEDS, main=True)


@dataclass(frozen=True, kw_only=True)
class ReportOptions(Options):
    """Options of the commands that write a report."""

    title: str | None = option(None, doc="title of the report; default: the question of the task")


@dataclass(frozen=True, kw_only=True)
class DeviceOptions(CommonOptions):
    """Options of the commands that compute with tensors."""

    heading: ClassVar[str] = "engine"

    device: str = option("auto", doc="auto, cpu, cuda, cuda:1, mps …", main=True)
    precision: Literal["auto", "fp32", "bf16", "fp16", "int8"] = option(
        "auto",
        doc="number format of matrix products; auto: bf16 if the hardware multiplies it natively, "
        "else fp16 on a GPU that multiplies that, else fp32; int8: the frozen layers in 8 bits, on "
        "a CPU",
    )


@dataclass(frozen=True, kw_only=True)
class CheckpointOptions(Options):
    """Options of the commands that open a checkpoint."""

    heading: ClassVar[str] = "engine"

    allow_bin: bool = option(
        False, doc="accept a checkpoint with only pytorch_model.bin, and convert it once"
    )


@dataclass(frozen=True, kw_only=True)
class LoadingOptions(CheckpointOptions):
    """Options of the commands that may download a backbone."""

    heading: ClassVar[str] = "engine"

    offline: bool = option(False, doc="never open a network connection")


@dataclass(frozen=True, kw_only=True)
class RunOptions(DeviceOptions):
    """Options of the commands that run a model on packed batches."""

    heading: ClassVar[str] = "engine"

    max_tokens: int | Literal["auto", "measured"] = option(
        "auto",
        doc="token budget of one packed batch; auto: 2,048 on a CPU, 16,384 on a GPU; measured: "
        "the fastest budget on this machine, measured by the training",
        limit="1 or more",
    )


@dataclass(frozen=True, kw_only=True)
class AnswerOptions(RunOptions):
    """Options of the commands that run a model without training it."""

    heading: ClassVar[str] = "engine"

    max_tokens: int | Literal["auto"] = option(
        "auto",
        doc="token budget of one packed batch; auto: 2,048 on a CPU, 16,384 on a GPU",
        limit="1 or more",
    )


@dataclass(frozen=True, kw_only=True)
class WorkerOptions(Options):
    """Options of the commands that several processes or machines can share."""

    heading: ClassVar[str] = "folder of shards"

    shard: str | None = option(
        None,
        doc="I/N: make every N-th shard from shard I on (0 ≤ I < N), so that N processes fill one "
        "folder, for instance as a Slurm array",
    )
    ray: str | None = option(
        None,
        doc="work with Ray: `local` for this machine, `auto` or an address for a cluster "
        "(pip install 'peftide[ray]')",
    )
    workers: int | None = option(
        None,
        doc="processes of --ray; default: one for each GPU of the cluster, without GPUs one for "
        "each machine",
        limit="1 or more",
    )


@dataclass(frozen=True, kw_only=True)
class RowOptions(CommonOptions):
    """Options of all commands that read a table: columns for proteins and labels."""

    heading: ClassVar[str] = "table"

    sequences: Path | Any | None = option(
        None,
        doc="FASTA file with the sequences of the ids in the table (.gz and .xz are read)",
        main=True,
        in_memory=True,
    )
    id_column: str = option("id", doc="column with the id of a single sequence")
    id_a_column: str = option("id_a", doc="column with the id of the first protein of a pair")
    id_b_column: str = option("id_b", doc="column with the id of the second protein of a pair")
    sequence_column: str = option("sequence", doc="column with a single sequence")
    sequence_a_column: str = option("sequence_a", doc="column with the first sequence of a pair")
    sequence_b_column: str = option("sequence_b", doc="column with the second sequence of a pair")
    label_column: str = option("label", doc="column with the label")
    mutant_column: str = option("mutant", doc="column with the mutant of the wild type (A24G)")
    wild_type: str | None = option(
        None,
        doc="wild type of a table of mutants: FASTA file, id in --sequences, or sequence",
        main=True,
    )
    offset: int | Literal["auto"] = option(
        "auto",
        doc="number to subtract from the positions of mutants to count from residue 1 of the wild "
        "type; auto: the one with which all residues agree",
    )
    self_pairs: Literal["exclude", "keep"] = option(
        "exclude", doc="pairs of a protein with itself: left out of training and metrics, or kept"
    )

    def __post_init__(self) -> None:
        """Refuse one column for two things, beside the checks of all options."""
        super().__post_init__()
        names = {item.name: field_name(item) for item in fields(self)}
        raise_problems(
            [
                f"{names[first]} and {names[second]} both name the column "
                f"{getattr(self, first)!r}; expected two columns"
                for first, second in DIFFERENT
                if {first, second} <= names.keys() and getattr(self, first) == getattr(self, second)
            ]
        )


@dataclass(frozen=True, kw_only=True)
class JoinOptions(RowOptions):
    """Options of the commands that refuse inconsistent tables and sequences."""

    heading: ClassVar[str] = "table"

    missing: Literal["error", "drop"] = option(
        "error", doc="rows whose id has no sequence: an error, or dropped and counted"
    )
    strict: bool = option(
        False, doc="contradictory labels, and ids reused for another sequence, are errors"
    )


@dataclass(frozen=True, kw_only=True)
class PartOptions(Options):
    """Options of the commands that read several parts from one table."""

    heading: ClassVar[str] = "table"

    split_column: str = option("split", doc="column with the part of each row")
    mask_column: str = option(
        "mask", doc="column with 0/1 per residue; residues with 0 are left out"
    )


@dataclass(frozen=True, kw_only=True)
class ClusterOptions(Options):
    """Options of the commands that keep or resample whole clusters."""

    heading: ClassVar[str] = "table"

    cluster_column: str = option(
        "cluster", doc="column with the cluster of a single sequence; intervals resample clusters"
    )


@dataclass(frozen=True, kw_only=True)
class TableOptions(JoinOptions, PartOptions, ClusterOptions):
    """All options of a labelled table."""

    heading: ClassVar[str] = "table"


@dataclass(frozen=True, kw_only=True)
class PartTables(Options):
    """The tables of a training, which an audit reads too."""

    heading: ClassVar[str] = "data"

    data: Path | Any | None = option(
        None, doc="one table for all parts, with a split column", main=True, in_memory=True
    )
    train: Path | Any | None = option(
        None, doc="table with the training examples", main=True, in_memory=True
    )
    validation: Path | Any | None = option(
        None, doc="table with the validation examples", main=True, in_memory=True
    )
    test: tuple[str, ...] = option(
        (),
        doc="table to score (FILE or NAME=FILE); may be repeated",
        repeated="[NAME=]FILE",
        main=True,
    )


def grouped_fields(config_class: type[Options]) -> list[tuple[str, Field[Any]]]:
    """Return heading and field of each option; the command's specific options come first."""
    known = {item.name: item for item in fields(config_class)}
    found: dict[str, str] = {}
    for base in config_class.__mro__:
        for name in inspect.get_annotations(base):
            if name in known and name not in found:
                found[name] = base.heading
    return [(heading, known[name]) for name, heading in found.items()]
