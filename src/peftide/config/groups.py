"""The options of a training, in groups; `TrainConfig` is made of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from peftide.config.options import (
    LoadingOptions,
    Options,
    PartTables,
    RunOptions,
    TableOptions,
    option,
)

DEFAULT_BACKBONE = "mini"
BACKBONES_DOC = "mini (bundled), folder, hub id, alias (esm2_t12_35M), or random:<alias>"


@dataclass(frozen=True, kw_only=True)
class DataOptions(PartTables, TableOptions):
    """Which examples are trained on, and what their labels mean."""

    heading: ClassVar[str] = "data"

    task: str = option(
        "auto", doc="kind of question (see README); auto reads it off the labels", main=True
    )
    validation_fraction: float = option(
        0.1,
        doc="share of the training set held out when no validation part is given",
        limit="above 0, below 1",
    )
    validation_kind: Literal["auto", "random", "none_seen", "cluster"] = option(
        "auto",
        doc="how it is held out: random rows, none_seen (pairs: proteins that train never sees), "
        "or whole clusters; auto: clusters where the table has that column, none_seen for pairs "
        "where enough proteins remain, else random",
    )
    shared_proteins: Literal["error", "allow", "drop"] = option(
        "error",
        doc="proteins of a later part that train has too: error, allow, or drop those train rows",
    )
    class_map: Path | None = option(None, doc="TSV `label class` that merges symmetry labels")


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Options):
    """The parts of the model: backbone, pooling, pairing, head."""

    heading: ClassVar[str] = "model"

    backbone: str = option(DEFAULT_BACKBONE, doc=BACKBONES_DOC, main=True)
    base_bits: int | None = option(
        None,
        doc="4 or 8: hold the matrices of the frozen backbone in so many bits (CUDA GPU, "
        "bitsandbytes); default: all weights in 32",
    )
    max_length: int | None = option(
        1022,
        doc="residues kept of a longer sequence; `none` crops nothing (rotary models only)",
        limit="1 or more",
        main=True,
    )
    pooling: Literal["mean", "cls", "attention"] = option(
        "mean", doc="how residue embeddings become one vector"
    )
    pairing: Literal["order_free", "mean"] = option(
        "order_free", doc="how two vectors become one: [mean, |a−b|, a∘b], or the mean alone"
    )
    head: Literal["mlp", "linear"] = option("mlp", doc="prediction head")
    head_width: int = option(256, doc="hidden width of the mlp head", limit="1 or more")
    head_dropout: float = option(0.1, doc="dropout inside the mlp head", limit="0 or more, below 1")


@dataclass(frozen=True, kw_only=True)
class MethodOptions(Options):
    """How the backbone is adapted."""

    heading: ClassVar[str] = "method"

    method: str = option(
        "lora",
        doc="how the backbone is adapted: head, lora, rslora, lora_fa, dora, pissa, adalora, vera, "
        "ia3, bias, layer_norm, last_k or full",
        main=True,
    )
    lora_r: int = option(
        8,
        doc="rank of LoRA and its kin (adalora: the average rank that remains)",
        limit="1 or more",
    )
    lora_alpha: int = option(
        16, doc="LoRA scale: updates are multiplied by alpha / rank", limit="1 or more"
    )
    lora_dropout: float = option(
        0.05, doc="dropout on the input of the added matrices", limit="0 or more, below 1"
    )
    lora_targets: tuple[str, ...] = option(
        ("key", "value"), doc="attention matrices: query, key, value, output (comma-separated)"
    )
    lora_layers: str = option(
        "last_quarter",
        doc="layers to adapt (every method but head and full): all, last_quarter, last:K, or "
        "0-based layers such as 3,4,5",
    )


@dataclass(frozen=True, kw_only=True)
class OptimizerOptions(Options):
    """Batches, loss, learning rates, and when a training stops."""

    heading: ClassVar[str] = "optimizer"

    epochs: int = option(
        20, doc="passes over the training examples, at most", limit="1 or more", main=True
    )
    batch_size: int = option(64, doc="examples per optimizer step", limit="1 or more", main=True)
    sampler: Literal["auto", "pairs", "blocks"] = option(
        "auto",
        doc="batches of pairs: at random, or all pairs between two blocks of proteins; auto takes "
        "blocks where the backbone trains and proteins have many partners",
    )
    blocks: int | None = option(
        None,
        doc="blocks that the training proteins are split into; default: by their partners, and "
        "more if --epochs are few",
        limit="1 or more",
    )
    learning_rate: float | None = option(
        None,
        doc="peak learning rate of adapter or backbone; default: the method's own",
        limit="a number above 0",
        main=True,
    )
    head_learning_rate: float = option(
        1e-3, doc="peak learning rate of the head", limit="a number above 0"
    )
    weight_decay: float = option(0.01, doc="AdamW decay of adapter or backbone", limit="0 or more")
    head_weight_decay: float = option(0.01, doc="AdamW decay of the head", limit="0 or more")
    warmup_fraction: float = option(
        0.05, doc="share of all steps with rising learning rate", limit="0 or more, below 1"
    )
    max_grad_norm: float = option(
        1.0, doc="gradients are clipped to this norm", limit="a number above 0"
    )
    patience: int = option(
        5, doc="epochs without a better validation score before stopping", limit="1 or more"
    )
    imbalance: Literal["none", "weights", "logit_adjustment"] = option(
        "none", doc="rare classes: nothing, class weights, or logit adjustment"
    )


@dataclass(frozen=True, kw_only=True)
class EngineOptions(RunOptions, LoadingOptions):
    """Where a training computes, and what it keeps on disk."""

    heading: ClassVar[str] = "engine"

    gradient_checkpointing: bool = option(
        False, doc="recompute activations in the backward pass: less memory, more time"
    )
    embedding_cache: Path | None = option(
        None,
        doc="folder that keeps outputs of frozen layers and found homologues for later runs",
    )
    trunk_gb: float = option(
        20.0,
        doc="disk space for the hidden states of frozen layers below the trained ones, each "
        "computed once; 0: those layers run in every step",
        limit="0 or more",
    )
    checkpoint_minutes: float = option(
        5.0, doc="minutes between two resume points", limit="0 or more"
    )


@dataclass(frozen=True, kw_only=True)
class EvaluationOptions(Options):
    """How the trained model is calibrated and scored."""

    heading: ClassVar[str] = "evaluation"

    calibration: Literal["auto", "none", "temperature", "isotonic"] = option(
        "auto",
        doc="how validation corrects probabilities; auto: the best method on held-out parts of it",
    )
    baselines: tuple[str, ...] = option(
        ("auto",),
        doc="baselines beside the scores (see README): auto (all that suit the task), none, or "
        "names with commas",
    )
