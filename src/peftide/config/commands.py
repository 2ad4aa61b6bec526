"""One frozen dataclass per command; the command line and the YAML file are read off the fields."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from peftide.config.groups import (
    BACKBONES_DOC,
    DEFAULT_BACKBONE,
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
    Options,
    PartOptions,
    PartTables,
    RowOptions,
    SeedOptions,
    TableOptions,
    option,
)

ERROR_RATE_DOC = "add a column `set`: prediction sets that miss the true class at this rate"
CACHE_DOC = "folder that keeps the encoded proteins for later runs on the same proteins"


@dataclass(frozen=True, kw_only=True)
class TrainConfig(
    DataOptions,
    ModelOptions,
    MethodOptions,
    OptimizerOptions,
    EvaluationOptions,
    EngineOptions,
    SeedOptions,
):
    """Train an adapted model, score it, and save it with its predictions."""

    heading: ClassVar[str] = "options"

    out: Path = option(doc="run folder to write", main=True)
    resume: bool = option(False, doc="go on with an interrupted run in --out", main=True)


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


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(TableOptions, AnswerOptions, CheckpointOptions, SeedOptions):
    """Score a trained model on a labelled table."""

    heading: ClassVar[str] = "options"

    run: Path = option(doc="run folder of `peftide train`", positional=True)
    input: Path | Any = option(doc="labelled table", main=True, in_memory=True)
    out: Path = option(doc="folder to write", main=True)
    part: str | None = option(
        None, doc="score only the rows that the split column gives to this part", main=True
    )
    shared_proteins: Literal["error", "allow"] = option(
        "error",
        doc="proteins of the table that the model was trained or validated on: error or allow",
        main=True,
    )
    error_rate: float | None = option(None, doc=ERROR_RATE_DOC, limit="above 0, below 1", main=True)
    baselines: tuple[str, ...] = option(
        ("auto",),
        doc="baselines beside the scores: auto (all that the run keeps), none, or names with "
        "commas",
        main=True,
    )
    against: tuple[str, ...] = option(
        (),
        doc="scores of another tool for the same rows, may be repeated",
        repeated="[NAME=]FILE",
        main=True,
    )
    embedding_cache: Path | None = option(None, doc=CACHE_DOC, main=True)


@dataclass(frozen=True, kw_only=True)
class SplitConfig(JoinOptions, PartOptions, ClusterOptions, SeedOptions):
    """Divide a table into train, validation and test so that scores on test mean something."""

    heading: ClassVar[str] = "options"

    input: tuple[Path, ...] = option(
        doc="table to divide, may be repeated: the rows of all files together",
        repeated="FILE",
        main=True,
    )
    out: Path = option(doc="folder to write", main=True)
    kind: Literal["auto", "random", "cluster", "none_seen"] = option(
        "auto",
        doc="random rows; cluster: similar sequences stay together; none_seen (pairs): parts share "
        "no protein and no similar ones, pairs across parts are dropped; auto takes none_seen for "
        "pairs, else cluster",
        main=True,
    )
    fractions: tuple[float, ...] = option(
        (0.8, 0.1, 0.1), doc="shares of train, validation and test (comma-separated)", main=True
    )
    similarity: Literal["auto", "mmseqs", "pyopal", "none"] = option(
        "auto",
        doc="what looks for similar proteins, which stay together: auto takes MMseqs2 where it is "
        "installed, else pyopal; none: only identical ones stay together",
        main=True,
    )
    identity: float = option(
        0.3, doc="identity from which on two proteins are similar", limit="from 0 to 1", main=True
    )
    coverage: float = option(
        0.5,
        doc="share of the shorter one that the alignment of similar proteins must cover",
        limit="from 0 to 1",
        main=True,
    )
    clusters: Path | None = option(
        None,
        doc="table `representative member` that says instead what stays together (as the "
        "clusters.tsv of an earlier split, or of `mmseqs easy-cluster`)",
        main=True,
    )
    negatives: Literal["keep", "sample"] = option(
        "keep",
        doc="negative pairs: those of the table, or drawn anew inside each part so that every "
        "protein occurs as often as in its positives",
        main=True,
    )
    negative_ratio: float = option(
        1.0, doc="drawn negatives per positive", limit="a number above 0", main=True
    )


@dataclass(frozen=True, kw_only=True)
class AuditConfig(PartTables, RowOptions, PartOptions):
    """Look for all that makes scores on a split too good; exits with 3 if there is a leak."""

    heading: ClassVar[str] = "options"

    out: Path | None = option(None, doc="file to write: every verdict as JSON", main=True)
    similarity: Literal["auto", "mmseqs", "pyopal", "none"] = option(
        "auto",
        doc="what looks for similar proteins across parts: auto takes MMseqs2 where it is "
        "installed, else pyopal; none leaves that out and takes seconds",
        main=True,
    )
    identity: float = option(
        0.3, doc="identity from which on two proteins are similar", limit="from 0 to 1", main=True
    )
    coverage: float = option(
        0.5,
        doc="share of the shorter one that the alignment of similar proteins must cover",
        limit="from 0 to 1",
        main=True,
    )
    max_length: int | None = option(
        1022,
        doc="residues that the model will keep of a longer sequence, or `none`",
        limit="1 or more",
        main=True,
    )


@dataclass(frozen=True, kw_only=True)
class ReportConfig(Options):
    """Write the report of a finished run anew, from the other files in its folder."""

    run: Path = option(doc="folder of `peftide train` or `peftide evaluate`", positional=True)
    debug: bool = option(False, doc="show the full trace of an error")


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(AnswerOptions, LoadingOptions):
    """Write one embedding per sequence of a FASTA file."""

    heading: ClassVar[str] = "options"

    sequences: Path | None = option(None, doc="FASTA file to embed (.gz and .xz are read)")
    backbone: str = option(DEFAULT_BACKBONE, doc=BACKBONES_DOC)
    run: Path | None = option(None, doc="run folder: embed with its adapted backbone instead")
    out: Path = option(doc="file to write: .safetensors, .h5 or .parquet")
    per_residue: bool = option(False, doc="one vector per residue instead of one per sequence")
    pooling: Literal["mean", "cls"] | None = option(
        None, doc="how residues become one vector; default: mean, or with --run as it was trained"
    )
    max_length: int | None = option(
        1022, doc="residues kept of a longer sequence, or `none`", limit="1 or more"
    )


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(DeviceOptions, LoadingOptions, SeedOptions):
    """Train a backbone on unlabelled sequences: a new one, or a further step for another."""

    heading: ClassVar[str] = "options"

    sequences: tuple[Path, ...] = option(
        doc="FASTA file of the corpus (.gz and .xz are read), may be repeated",
        repeated="FILE",
        main=True,
    )
    out: Path = option(doc="backbone folder to write; --backbone takes it afterwards", main=True)
    resume: bool = option(False, doc="go on with an interrupted training in --out", main=True)
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
        doc="attention heads of a new backbone; few wide ones are far faster on a CPU",
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
        doc="let the attention heads of a new backbone begin by looking at one neighbour each",
    )

    exclude: Path | None = option(
        None, doc="text file (.gz, .xz) whose first column names sequences to leave out", main=True
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
        doc="sequences to measure perplexity on, of clusters that are not trained on",
        limit="1 or more",
        main=True,
    )
    min_length: int = option(30, doc="residues that a sequence must have", limit="1 or more")

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
        0.15, doc="share of the tokens that is hidden", limit="above 0, below 1"
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
        doc="weight of the loss that --alignments add: what stands at each place in relatives",
        limit="a number above 0",
    )

    steps: int = option(
        20_000,
        doc="optimizer steps; the learning rate is planned over them",
        limit="1 or more",
        main=True,
    )
    hours: float | None = option(
        None,
        doc="stop after this time, with a backbone written; --resume goes on",
        limit="a number above 0",
        main=True,
    )
    learning_rate: float = option(
        1e-3, doc="peak learning rate", limit="a number above 0", main=True
    )
    warmup_steps: int = option(300, doc="steps with rising learning rate", limit="0 or more")
    decay_fraction: float = option(
        0.3,
        doc="share of the steps, at the end, with the learning rate falling to zero",
        limit="from 0 to 1",
    )
    weight_decay: float = option(0.01, doc="AdamW decay", limit="0 or more")
    max_grad_norm: float = option(
        1.0, doc="gradients are clipped to this norm", limit="a number above 0"
    )
    evaluate_every: int = option(
        1000, doc="steps between two looks at the held-out sequences", limit="1 or more"
    )
    checkpoint_minutes: float = option(
        5.0, doc="minutes between two resume points", limit="0 or more"
    )
    compile: bool = option(True, doc="compile the steps, where torch finds a C++ compiler")
    weights_dtype: Literal["fp32", "bf16"] = option(
        "fp32", doc="type of the weights in the file that is written"
    )


@dataclass(frozen=True, kw_only=True)
class DemoConfig(DeviceOptions, SeedOptions):
    """Show the whole tool on a simulated proteome of known truth, offline."""

    heading: ClassVar[str] = "options"

    out: Path = option(Path("peftide-demo"), doc="folder to write")
