"""One frozen dataclass per command; its fields define the command line and the YAML file."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Literal

from peftide.config.groups import (
    DataOptions,
    EngineOptions,
    EvaluationOptions,
    MethodOptions,
    ModelOptions,
    OptimizerOptions,
)
from peftide.config.options import (
    AnswerOptions,
    CheckpointOptions,
    ClusterOptions,
    DeviceOptions,
    JoinOptions,
    LoadingOptions,
    PartOptions,
    PartTables,
    ReportOptions,
    RowOptions,
    SeedOptions,
    TableOptions,
    option,
)

ERROR_RATE_DOC = "add a column `set`: prediction sets that miss the true class at this rate"
MOVED_DOC = "new location of the run's backbone, if it has moved since the training"
CACHE_DOC = "folder that keeps the encoded proteins for later runs on the same proteins"


@dataclass(frozen=True, kw_only=True)
class TrainConfig(
    DataOptions,
    ModelOptions,
    MethodOptions,
    OptimizerOptions,
    EvaluationOptions,
    ReportOptions,
    EngineOptions,
    SeedOptions,
):
    """Train an adapted model, score it, and save it with its predictions."""

    heading: ClassVar[str] = "options"

    out: Path = option(doc="run folder to write", main=True)
    resume: bool = option(False, doc="resume an interrupted run in --out", main=True)


def as_training(config: TrainConfig, **changes: Any) -> TrainConfig:
    """Return the options of a training from a command that trains.

    Examples
    --------
    >>> planned = PlanConfig(epochs=3)
    >>> as_training(planned, method="head").epochs
    3
    """
    shared = {item.name: getattr(config, item.name) for item in fields(TrainConfig)}
    return TrainConfig(**shared | changes)


@dataclass(frozen=True, kw_only=True)
class PlanConfig(TrainConfig):
    """Forecast parameters, memory, time and disk of a training on this machine."""

    heading: ClassVar[str] = "options"

    out: Path = option(
        Path("run"), doc="run folder that the training would write; a plan writes nothing"
    )
    json: bool = option(False, doc="print the plan as JSON", main=True)


@dataclass(frozen=True, kw_only=True)
class PredictConfig(JoinOptions, AnswerOptions, CheckpointOptions):
    """Predict the rows of a table with a trained model."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train`", positional=True)
    input: Path | Any = option(
        doc="table, or for single sequences a FASTA file", main=True, in_memory=True
    )
    out: Path | None = option(None, doc="file to write; default: standard output", main=True)
    error_rate: float | None = option(None, doc=ERROR_RATE_DOC, limit="above 0, below 1", main=True)
    prevalence: float | None = option(
        None,
        doc="share of positives among the predicted rows, if it differs from that in training",
        limit="above 0, below 1",
        main=True,
    )
    embedding_cache: Path | None = option(None, doc=CACHE_DOC, main=True)
    backbone: str | None = option(None, doc=MOVED_DOC)


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(TableOptions, ReportOptions, AnswerOptions, CheckpointOptions, SeedOptions):
    """Score a trained model on a labelled table."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train`", positional=True)
    input: Path | Any = option(doc="labelled table", main=True, in_memory=True)
    out: Path = option(doc="folder to write", main=True)
    part: str | None = option(
        None, doc="score only the rows of this part in the split column", main=True
    )
    shared_proteins: Literal["error", "allow"] = option(
        "error",
        doc="proteins of the table that the model was trained or validated on: error or allow",
        main=True,
    )
    error_rate: float | None = option(None, doc=ERROR_RATE_DOC, limit="above 0, below 1", main=True)
    baselines: tuple[str, ...] = option(
        ("auto",),
        doc="baselines to compare with: auto (all baselines in the run), none, or comma-separated "
        "names",
        main=True,
    )
    against: tuple[str, ...] = option(
        (),
        doc="scores of another tool for the same rows; may be repeated",
        repeated="[NAME=]FILE",
        main=True,
    )
    embedding_cache: Path | None = option(None, doc=CACHE_DOC, main=True)
    backbone: str | None = option(None, doc=MOVED_DOC)


@dataclass(frozen=True, kw_only=True)
class SplitConfig(JoinOptions, PartOptions, ClusterOptions, SeedOptions):
    """Divide a table into train, validation and test so that scores on test mean something."""

    heading: ClassVar[str] = "options"

    input: tuple[Path, ...] = option(
        doc="table to divide; repeat the option to divide several tables together",
        repeated="FILE",
        main=True,
    )
    out: Path = option(doc="folder to write", main=True)
    kind: Literal["auto", "random", "cluster", "none_seen", "position", "order"] = option(
        "auto",
        doc="random rows; cluster: similar sequences stay together; none_seen (pairs): parts share "
        "no protein and no similar ones, and pairs across parts are dropped; position (variants of "
        "one protein): no site changes in two parts; order (variants): train on single changes, "
        "test on combinations; auto: none_seen for pairs, else cluster",
        main=True,
    )
    fractions: tuple[float, ...] = option(
        (0.8, 0.1, 0.1), doc="shares of train, validation and test (comma-separated)", main=True
    )
    similarity: Literal["auto", "mmseqs", "pyopal", "none"] = option(
        "auto",
        doc="tool that finds similar proteins, which stay together: auto uses MMseqs2 for large "
        "tables if it is installed, else pyopal; none: only identical proteins stay together",
        main=True,
    )
    identity: float = option(
        0.3, doc="minimum identity of two similar proteins", limit="from 0 to 1", main=True
    )
    coverage: float = option(
        0.5,
        doc="minimum share of the shorter protein in the alignment of similar proteins",
        limit="from 0 to 1",
        main=True,
    )
    clusters: Path | None = option(
        None,
        doc="table `representative member` with the proteins that stay together (such as "
        "clusters.tsv of an earlier split, or of `mmseqs easy-cluster`)",
        main=True,
    )
    negatives: Literal["keep", "sample"] = option(
        "keep",
        doc="negative pairs: keep the table's, or sample new ones inside each part so that every "
        "protein occurs as often as in its positives",
        main=True,
    )
    negative_ratio: float = option(
        1.0, doc="sampled negatives per positive", limit="a number above 0", main=True
    )


@dataclass(frozen=True, kw_only=True)
class AuditConfig(PartTables, RowOptions, PartOptions):
    """Check a split for everything that inflates scores; exits with 3 if there is a leak."""

    heading: ClassVar[str] = "options"

    out: Path | None = option(None, doc="file to write: every verdict as JSON", main=True)
    similarity: Literal["auto", "mmseqs", "pyopal", "none"] = option(
        "auto",
        doc="tool that finds similar proteins across parts: auto uses pyopal, and MMseqs2 for very "
        "large tables if it is installed; none skips this search and takes seconds",
        main=True,
    )
    identity: float = option(
        0.3, doc="minimum identity of two similar proteins", limit="from 0 to 1", main=True
    )
    coverage: float = option(
        0.5,
        doc="minimum share of the shorter protein in the alignment of similar proteins",
        limit="from 0 to 1",
        main=True,
    )
    max_length: int | None = option(
        1022,
        doc="length to which the model will crop sequences, or `none`",
        limit="1 or more",
        main=True,
    )


@dataclass(frozen=True, kw_only=True)
class ReportConfig(ReportOptions):
    """Rewrite the report of a finished run from the other files in its folder."""

    run: Path = option(doc="folder of `train`, `evaluate`, `compare` or `sweep`", positional=True)
    debug: bool = option(False, doc="show the full trace of an error")


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(DeviceOptions, LoadingOptions, SeedOptions):
    """Train a backbone on unlabelled sequences, either a new or an existing one."""

    heading: ClassVar[str] = "options"

    sequences: tuple[Path, ...] = option(
        doc="FASTA file of the corpus (.gz and .xz are read); may be repeated",
        repeated="FILE",
        main=True,
    )
    out: Path = option(doc="backbone folder to write, for use with --backbone", main=True)
    resume: bool = option(False, doc="resume an interrupted training in --out", main=True)
    backbone: str | None = option(
        None,
        doc="backbone to continue from (with its language-model head); default: a new one",
        main=True,
    )

    layers: int = option(
        6, doc="layers of a new backbone (the ESM-2 architecture)", limit="1 or more", main=True
    )
    width: int = option(320, doc="embedding width of a new backbone", limit="1 or more", main=True)
    attention_heads: int = option(
        5,
        doc="attention heads of a new backbone; few wide heads are far faster on a CPU",
        limit="1 or more",
        main=True,
    )

    initializer_range: float = option(
        0.02,
        doc="standard deviation of a new backbone's random weights (0.02 is ESM's)",
        limit="a number above 0",
    )

    local_heads: bool = option(
        False,
        doc="start each attention head of a new backbone with attention to one neighbour",
    )

    exclude: Path | None = option(
        None, doc="text file (.gz, .xz) with ids of excluded sequences in column 1", main=True
    )
    clusters: Path | None = option(
        None, doc="table `representative member`, as `mmseqs easy-linclust` writes it", main=True
    )
    cluster_power: float = option(
        0.5,
        doc="a cluster of n is drawn as often as n to this power: 1 by sequence, 0 by cluster",
        limit="from 0 to 1",
    )
    held_out: int = option(
        1000,
        doc="sequences to measure perplexity on, from held-out clusters",
        limit="1 or more",
        main=True,
    )
    min_length: int = option(30, doc="minimum number of residues per sequence", limit="1 or more")

    rows: int = option(
        16,
        doc="rows of a batch; a row holds the crops of one or several sequences",
        limit="1 or more",
        main=True,
    )
    row_tokens: int = option(
        256, doc="tokens of a row: longer sequences are cropped at random", main=True
    )
    mask_fraction: float = option(
        0.15, doc="share of the tokens that are hidden", limit="above 0, below 1"
    )
    mask_span: float = option(1.0, doc="mean length of a run of hidden residues", limit="1 or more")
    relatives_weight: float = option(
        0.0,
        doc="weight of a second loss: mean embeddings must find relatives (of --clusters)",
        limit="0 or more",
    )
    alignments: Path | None = option(
        None, doc="table `query target qstart tstart cigar` of alignments among --sequences"
    )
    profiles_weight: float = option(
        1.0,
        doc="weight of the loss that --alignments adds: the residues of relatives at each position",
        limit="a number above 0",
    )

    steps: int = option(
        20_000,
        doc="optimizer steps; the learning-rate schedule spans all of these",
        limit="1 or more",
        main=True,
    )
    hours: float | None = option(
        None,
        doc="write the backbone and stop after this time; --resume continues",
        limit="a number above 0",
        main=True,
    )
    learning_rate: float = option(
        1e-3, doc="peak learning rate", limit="a number above 0", main=True
    )
    warmup_steps: int = option(
        300, doc="warm-up steps, in which the learning rate rises", limit="0 or more"
    )
    decay_fraction: float = option(
        0.3,
        doc="share of the steps, at the end, in which the learning rate falls to zero",
        limit="from 0 to 1",
    )
    weight_decay: float = option(0.01, doc="AdamW decay", limit="0 or more")
    max_grad_norm: float = option(
        1.0, doc="gradients are clipped to this norm", limit="a number above 0"
    )
    evaluate_every: int = option(
        1000, doc="steps between evaluations of the held-out sequences", limit="1 or more"
    )
    checkpoint_minutes: float = option(
        5.0, doc="minutes between two resume points", limit="0 or more"
    )
    compile: bool = option(True, doc="compile the steps if torch finds a C++ compiler")
    weights_dtype: Literal["fp32", "bf16"] = option(
        "fp32", doc="type of the weights in the written file"
    )


@dataclass(frozen=True, kw_only=True)
class DemoConfig(DeviceOptions, SeedOptions):
    """Demonstrate the whole tool offline, on a simulated proteome with known labels."""

    heading: ClassVar[str] = "options"

    out: Path = option(Path("peftide-demo"), doc="folder to write")
