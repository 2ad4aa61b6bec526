"""One frozen dataclass per command; the command line and the YAML file are read off the fields."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peftide.config.options import RunOptions, TableOptions, option
from peftide.config.reading import coerce_fields

DEFAULT_BACKBONE = "mini"


@dataclass(frozen=True, kw_only=True)
class TrainConfig(TableOptions, RunOptions):
    """Train an adapted model, score it, and save it with its predictions."""

    task: str = option("auto", doc="what is asked (see README); auto reads it off the labels")
    method: str = option(
        "lora",
        doc="how the backbone is adapted: head, lora, rslora, lora_fa, dora, pissa, adalora, vera, "
        "ia3, bias, layer_norm, last_k or full",
    )
    backbone: str = option(
        DEFAULT_BACKBONE,
        doc="mini (bundled), folder, hub id, alias (esm2_t12_35M), or random:<alias>",
    )
    base_bits: int | None = option(
        None,
        doc="4 or 8: hold the matrices of the frozen backbone in so many bits (CUDA GPU, "
        "bitsandbytes); default: all weights in 32",
    )
    out: Path = option(doc="run folder to write")
    resume: bool = option(False, doc="go on with an interrupted run in --out")

    data: Path | None = option(None, doc="one table for all parts, with a split column")
    train: Path | None = option(None, doc="table with the training examples")
    validation: Path | None = option(None, doc="table with the validation examples")
    test: tuple[str, ...] = option(
        (), doc="table to score, may be repeated: FILE or NAME=FILE", repeated="[NAME=]FILE"
    )
    validation_fraction: float = option(
        0.1, doc="share of the training set held out when no validation part is given"
    )
    validation_kind: Literal["auto", "random", "none_seen", "cluster"] = option(
        "auto",
        doc="how it is held out: rows at random, whole clusters, or (pairs) proteins that train "
        "never sees; auto avoids random where enough rows remain",
    )
    shared_proteins: Literal["error", "allow", "drop"] = option(
        "error",
        doc="proteins of a later part that train has too: error, allow, or drop those train rows",
    )
    class_map: Path | None = option(None, doc="TSV `label class` that merges symmetry labels")

    max_length: int | None = option(
        1022, doc="residues kept of a longer sequence; `none` crops nothing (rotary models only)"
    )
    pooling: Literal["mean", "cls", "attention"] = option(
        "mean", doc="how residue embeddings become one vector"
    )
    pairing: Literal["order_free", "mean"] = option(
        "order_free", doc="how two vectors become one: [mean, |a−b|, a∘b], or the mean alone"
    )
    head: Literal["mlp", "linear"] = option("mlp", doc="prediction head")
    head_width: int = option(256, doc="hidden width of the mlp head")
    head_dropout: float = option(0.1, doc="dropout inside the mlp head")

    lora_r: int = option(8, doc="rank of LoRA and its kin (adalora: what is left on average)")
    lora_alpha: int = option(16, doc="LoRA scale: updates are multiplied by alpha / rank")
    lora_dropout: float = option(0.05, doc="dropout on the input of the added matrices")
    lora_targets: tuple[str, ...] = option(
        ("key", "value"), doc="attention matrices: query, key, value, output (comma-separated)"
    )
    lora_layers: str = option(
        "last_quarter",
        doc="layers to adapt (every method but head and full): all, last_quarter, last:K, or "
        "0-based layers such as 3,4,5",
    )

    epochs: int = option(20, doc="passes over the training examples, at most")
    batch_size: int = option(64, doc="examples per optimizer step")
    learning_rate: float | None = option(
        None, doc="peak learning rate of adapter or backbone; default: the method's own"
    )
    sampler: Literal["auto", "pairs", "blocks"] = option(
        "auto",
        doc="batches of pairs: at random, or all pairs between two blocks of proteins; auto takes "
        "blocks where the backbone trains and proteins have many partners",
    )
    blocks: int | None = option(
        None,
        doc="blocks that the training proteins are split into; default: by their partners, and "
        "more if --epochs are few",
    )
    head_learning_rate: float = option(1e-3, doc="peak learning rate of the head")
    weight_decay: float = option(0.01, doc="AdamW decay of adapter or backbone")
    head_weight_decay: float = option(0.01, doc="AdamW decay of the head")
    warmup_fraction: float = option(0.05, doc="share of all steps with rising learning rate")
    max_grad_norm: float = option(1.0, doc="gradients are clipped to this norm")
    patience: int = option(5, doc="epochs without a better validation score before stopping")
    calibration: Literal["auto", "none", "temperature", "isotonic"] = option(
        "auto",
        doc="how validation corrects probabilities; auto: what is best on held-out parts of it",
    )
    imbalance: Literal["none", "weights", "logit_adjustment"] = option(
        "none", doc="rare classes: nothing, class weights, or logit adjustment"
    )
    baselines: tuple[str, ...] = option(
        ("auto",),
        doc="what stands beside the scores (see README): auto (all that suit the task), none, or "
        "names with commas",
    )
    gradient_checkpointing: bool = option(
        False, doc="recompute activations in the backward pass: less memory, more time"
    )
    embedding_cache: Path | None = option(
        None,
        doc="folder where what frozen layers compute, and what was found similar to train, stays "
        "for later runs",
    )
    trunk_gb: float = option(
        20.0,
        doc="disk space for the hidden states of frozen layers below the trained ones, each "
        "computed once; 0: those layers run in every step",
    )
    checkpoint_minutes: float = option(5.0, doc="minutes between two resume points")


@dataclass(frozen=True, kw_only=True)
class PlanConfig(TrainConfig):
    """Forecast parameters, memory, time and disk of a training on this machine."""

    out: Path = option(
        Path("run"), doc="run folder that the training would write; a plan writes nothing"
    )
    json: bool = option(False, doc="print the plan as JSON")


@dataclass(frozen=True, kw_only=True)
class PredictConfig(TableOptions, RunOptions):
    """Predict the rows of a table with a trained model."""

    embedding_cache: Path | None = option(
        None, doc="folder where encoded proteins are kept for later runs"
    )
    run: Path = option(doc="run folder of `peftide train`", positional=True)
    input: Path = option(doc="table, or for single sequences a FASTA file")
    out: Path | None = option(None, doc="file to write; default: standard output")
    error_rate: float | None = option(
        None, doc="add a column `set`: the classes among which the true one is missing this often"
    )
    prevalence: float | None = option(
        None, doc="share of 1 among what is predicted, where it differs from that of training"
    )


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(TableOptions, RunOptions):
    """Score a trained model on a labelled table."""

    embedding_cache: Path | None = option(
        None, doc="folder where encoded proteins are kept for later runs"
    )
    run: Path = option(doc="run folder of `peftide train`", positional=True)
    input: Path = option(doc="labelled table")
    out: Path = option(doc="folder to write")
    part: str | None = option(
        None, doc="score only the rows that the split column gives to this part"
    )
    shared_proteins: Literal["error", "allow"] = option(
        "error", doc="proteins of the table that the model was trained on: error or allow"
    )
    error_rate: float | None = option(
        None, doc="add a column `set`: the classes among which the true one is missing this often"
    )
    baselines: tuple[str, ...] = option(
        ("auto",),
        doc="baselines beside the scores: auto (all that the run keeps), none, or names with "
        "commas",
    )
    against: tuple[str, ...] = option(
        (), doc="scores of another tool for the same rows, may be repeated", repeated="[NAME=]FILE"
    )


@dataclass(frozen=True, kw_only=True)
class SplitConfig(TableOptions):
    """Divide a table into train, validation and test so that scores on test mean something."""

    input: tuple[Path, ...] = option(
        doc="table to divide, may be repeated: the rows of all files together", repeated="FILE"
    )
    out: Path = option(doc="folder to write")
    kind: Literal["auto", "random", "cluster", "none_seen"] = option(
        "auto",
        doc="random rows; cluster: similar sequences stay together; none_seen (pairs): parts share "
        "no protein and no similar ones, pairs across parts are dropped; auto takes none_seen for "
        "pairs, else cluster",
    )
    fractions: tuple[float, ...] = option(
        (0.8, 0.1, 0.1), doc="shares of train, validation and test (comma-separated)"
    )
    similarity: Literal["auto", "mmseqs", "pyopal", "none"] = option(
        "auto",
        doc="what looks for similar proteins, which stay together: auto takes MMseqs2 where it is "
        "installed, else pyopal; none: only identical ones stay together",
    )
    identity: float = option(0.3, doc="identity from which on two proteins are similar")
    coverage: float = option(
        0.5, doc="share of the shorter one that the alignment of similar proteins must cover"
    )
    clusters: Path | None = option(
        None,
        doc="table `representative member` that says instead what stays together (as the "
        "clusters.tsv of an earlier split, or of `mmseqs easy-cluster`)",
    )
    negatives: Literal["keep", "sample"] = option(
        "keep",
        doc="negative pairs: those of the table, or drawn anew inside each part so that every "
        "protein occurs as often as in its positives",
    )
    negative_ratio: float = option(1.0, doc="drawn negatives per positive")


@dataclass(frozen=True, kw_only=True)
class AuditConfig(TableOptions):
    """Look for all that makes scores on a split too good; exits with 3 if there is a leak."""

    data: Path | None = option(None, doc="one table for all parts, with a split column")
    train: Path | None = option(None, doc="table with the training examples")
    validation: Path | None = option(None, doc="table with the validation examples")
    test: tuple[str, ...] = option(
        (),
        doc="table to be scored later, may be repeated: FILE or NAME=FILE",
        repeated="[NAME=]FILE",
    )
    out: Path | None = option(None, doc="file to write: every verdict as JSON")
    similarity: Literal["auto", "mmseqs", "pyopal", "none"] = option(
        "auto",
        doc="what looks for similar proteins across parts: auto takes MMseqs2 where it is "
        "installed, else pyopal; none leaves that out and takes seconds",
    )
    identity: float = option(0.3, doc="identity from which on two proteins are similar")
    coverage: float = option(
        0.5, doc="share of the shorter one that the alignment of similar proteins must cover"
    )
    max_length: int | None = option(
        1022, doc="residues that the model will keep of a longer sequence, or `none`"
    )


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """Write the report of a finished run anew, from the other files in its folder."""

    run: Path = option(doc="folder of `peftide train` or `peftide evaluate`", positional=True)
    debug: bool = option(False, doc="show the full trace of an error")

    def __post_init__(self) -> None:
        """Turn text into paths, and refuse values of the wrong kind."""
        coerce_fields(self)


@dataclass(frozen=True, kw_only=True)
class EmbedConfig(RunOptions):
    """Write one embedding per sequence of a FASTA file."""

    sequences: Path | None = option(None, doc="FASTA file to embed (.gz and .xz are read)")
    backbone: str = option(
        DEFAULT_BACKBONE,
        doc="mini (bundled), folder, hub id, alias (esm2_t12_35M), or random:<alias>",
    )
    run: Path | None = option(None, doc="run folder: embed with its adapted backbone instead")
    out: Path = option(doc="file to write: .safetensors, .h5 or .parquet")
    per_residue: bool = option(False, doc="one vector per residue instead of one per sequence")
    pooling: Literal["mean", "cls"] | None = option(
        None, doc="how residues become one vector; default: mean, or with --run as it was trained"
    )
    max_length: int | None = option(1022, doc="residues kept of a longer sequence, or `none`")


@dataclass(frozen=True, kw_only=True)
class PretrainConfig(RunOptions):
    """Train a backbone on unlabelled sequences: a new one, or a further step for another."""

    sequences: tuple[Path, ...] = option(
        doc="FASTA file of the corpus (.gz and .xz are read), may be repeated",
        repeated="FILE",
    )
    out: Path = option(doc="backbone folder to write; --backbone takes it afterwards")
    resume: bool = option(False, doc="go on with an interrupted training in --out")
    backbone: str | None = option(
        None, doc="backbone to continue from (with its language-model head); default: a new one"
    )

    layers: int = option(6, doc="layers of a new backbone (the ESM-2 architecture)")
    width: int = option(320, doc="embedding width of a new backbone")
    attention_heads: int = option(
        5, doc="attention heads of a new backbone; few wide ones are far faster on a CPU"
    )

    initializer_range: float = option(
        0.02, doc="standard deviation of a new backbone's random weights (0.02 is ESM's)"
    )

    local_heads: bool = option(
        False,
        doc="let the attention heads of a new backbone begin by looking at one neighbour each",
    )

    exclude: Path | None = option(
        None, doc="text file (.gz, .xz) whose first column names sequences to leave out"
    )
    clusters: Path | None = option(
        None, doc="table `representative member`, as `mmseqs easy-linclust` writes it"
    )
    cluster_power: float = option(
        0.5, doc="a cluster of n is drawn as often as n to this power: 1 by sequence, 0 by cluster"
    )
    held_out: int = option(
        1000, doc="sequences to measure perplexity on, of clusters that are not trained on"
    )
    min_length: int = option(30, doc="residues that a sequence must have")

    rows: int = option(16, doc="rows of a batch; a row holds the crops of one or several sequences")
    row_tokens: int = option(256, doc="tokens of a row: longer sequences are cropped at random")
    mask_fraction: float = option(0.15, doc="share of the tokens that is hidden")
    mask_span: float = option(1.0, doc="mean length of a run of hidden residues")
    relatives_weight: float = option(
        0.0, doc="weight of a second loss: mean embeddings must find relatives (of --clusters)"
    )
    alignments: Path | None = option(
        None, doc="table `query target qstart tstart cigar` of alignments among --sequences"
    )
    profiles_weight: float = option(
        1.0, doc="weight of the loss that --alignments add: what stands at each place in relatives"
    )

    steps: int = option(20_000, doc="optimizer steps; the learning rate is planned over them")
    hours: float | None = option(
        None, doc="stop after this time, with a backbone written; --resume goes on"
    )
    learning_rate: float = option(1e-3, doc="peak learning rate")
    warmup_steps: int = option(300, doc="steps with rising learning rate")
    decay_fraction: float = option(
        0.3, doc="share of the steps, at the end, with the learning rate falling to zero"
    )
    weight_decay: float = option(0.01, doc="AdamW decay")
    max_grad_norm: float = option(1.0, doc="gradients are clipped to this norm")
    evaluate_every: int = option(1000, doc="steps between two looks at the held-out sequences")
    checkpoint_minutes: float = option(5.0, doc="minutes between two resume points")
    compile: bool = option(True, doc="compile the steps, where torch finds a C++ compiler")
    weights_dtype: Literal["fp32", "bf16"] = option(
        "fp32", doc="type of the weights in the file that is written"
    )


@dataclass(frozen=True, kw_only=True)
class DemoConfig(RunOptions):
    """Show the whole tool on a simulated proteome of known truth, offline."""

    out: Path = option(Path("peftide-demo"), doc="folder to write")
