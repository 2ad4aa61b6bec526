"""The options of a training, in groups; `TrainConfig` combines all groups."""

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
    """The training examples, and the meaning of their labels."""

    heading: ClassVar[str] = "data"

    task: str = option(
        "auto", doc="task, such as ppi or regression; auto infers it from the labels", main=True
    )
    validation_fraction: float = option(
        0.1,
        doc="share of the training set to hold out if no validation part is given",
        limit="above 0, below 1",
    )
    validation_kind: Literal["auto", "random", "none_seen", "cluster"] = option(
        "auto",
        doc="how to hold out validation: random rows, none_seen (pairs: proteins not in train), "
        "or whole clusters; auto: clusters if the table has a cluster column, none_seen for pairs "
        "if enough proteins remain, else random",
    )
    validation_seed: int | None = option(
        None, doc="seed that draws the held-out validation part; default: --seed"
    )
    shared_proteins: Literal["error", "allow", "drop"] = option(
        "error",
        doc="proteins of a later part that are also in train: error, allow, or drop the train rows",
    )
    class_map: Path | None = option(None, doc="TSV `label class` that merges symmetry labels")
    classes: tuple[str, ...] = option(
        (),
        doc="class names for labels such as 1,0,1, in the order of the digits: comma-separated, "
        "or a file with one name per line; default: class_1, class_2, …",
    )

    def __post_init__(self) -> None:
        """Read names of tasks with `_` as with `-`, beside the checks of all options."""
        super().__post_init__()
        object.__setattr__(self, "task", self.task.replace("_", "-"))


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Options):
    """The parts of the model: backbone, pooling, pairing, head."""

    heading: ClassVar[str] = "model"

    backbone: str = option(DEFAULT_BACKBONE, doc=BACKBONES_DOC, main=True)
    base_bits: int | None = option(
        None,
        doc="4 or 8: bits per weight in the matrices of the frozen backbone (CUDA GPU, "
        "bitsandbytes); default: 32 for all weights",
    )
    layer: int | Literal["last", "auto"] = option(
        "last",
        doc="0-based layer whose output is pooled; the layers above it are cut off. auto: the best "
        "layer on validation with a frozen backbone",
        limit="0 or more",
    )
    max_length: int | None = option(
        1022,
        doc="length to which sequences are cropped; `none` crops nothing (rotary models only)",
        limit="1 or more",
        main=True,
    )
    pooling: Literal["mean", "cls", "attention", "ends", "window"] = option(
        "mean",
        doc="how residue embeddings become one vector; ends: the mean, and beside it windows of "
        "both ends, for signals near the start or end of a sequence; window: the mean, and beside "
        "it the highest mean of 10 neighbours, for signals of short stretches",
    )
    pairing: Literal["order_free", "mean"] = option(
        "order_free", doc="how two vectors become one: [mean, |a−b|, a∘b], or the mean alone"
    )
    head: Literal["auto", "mlp", "linear", "dot", "mlp,dot", "ridge"] = option(
        "auto",
        doc="prediction head; dot: inner products of both vectors of a pair, the fastest to screen "
        "with; mlp,dot: heads of both forms, whose mean is the prediction (--method head); "
        "ridge: closed form, for variants (other heads learn what it leaves); "
        "auto: ridge for variants with a frozen backbone, else mlp",
    )
    head_width: int = option(
        256, doc="hidden width of the mlp head, or of the projection of dot", limit="1 or more"
    )
    head_dropout: float | None = option(
        None,
        doc="dropout inside the head; default: 0.1 for mlp, 0.3 for dot",
        limit="0 or more, below 1",
    )
    seeds: int = option(
        1,
        doc="number of heads of each form on the frozen vectors, trained with the seeds --seed, "
        "--seed + 1, …; their mean is the prediction (--method head)",
        limit="1 or more",
    )


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
        doc="rank of LoRA and its variants (adalora: the average rank after pruning)",
        limit="1 or more",
    )
    lora_alpha: int = option(
        16, doc="LoRA scale: updates are multiplied by alpha / rank", limit="1 or more"
    )
    lora_dropout: float = option(
        0.05, doc="dropout on the input of the added matrices", limit="0 or more, below 1"
    )
    lora_targets: tuple[str, ...] = option(
        ("auto",),
        doc="matrices to adapt: query, key, value, output; UniRep: wmx, wmh, wx, wh "
        "(comma-separated). auto: key and value; UniRep: wmh and wh",
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
        20, doc="maximum number of passes over the training examples", limit="1 or more", main=True
    )
    batch_size: int = option(64, doc="examples per optimizer step", limit="1 or more", main=True)
    sampler: Literal["auto", "pairs", "blocks"] = option(
        "auto",
        doc="batches of pairs: at random, or all pairs of a block of proteins, so that an epoch "
        "encodes each protein once; auto uses blocks if the backbone trains and proteins have "
        "several partners",
    )
    blocks: int | None = option(
        None,
        doc="number of blocks of training proteins, which is the number of steps of an epoch; "
        "default: 16, or 32 with --epochs 1; a number given here makes auto use blocks",
        limit="1 or more",
    )
    learning_rate: float | None = option(
        None,
        doc="peak learning rate of adapter or backbone; default: the method's own, a tenth of it "
        "for UniRep",
        limit="a number above 0",
        main=True,
    )
    head_learning_rate: float = option(
        1e-3, doc="peak learning rate of the head", limit="a number above 0"
    )
    weight_decay: float = option(0.01, doc="AdamW decay of adapter or backbone", limit="0 or more")
    head_weight_decay: float = option(0.01, doc="AdamW decay of the head", limit="0 or more")
    warmup_fraction: float = option(
        0.05, doc="share of all steps in which the learning rate rises", limit="0 or more, below 1"
    )
    max_grad_norm: float = option(
        1.0, doc="gradients are clipped to this norm", limit="a number above 0"
    )
    patience: int = option(
        5, doc="epochs without a better validation score before stopping", limit="1 or more"
    )
    imbalance: Literal["none", "weights", "logit_adjustment"] = option(
        "none", doc="treatment of rare classes: none, class weights, or logit adjustment"
    )


@dataclass(frozen=True, kw_only=True)
class EngineOptions(RunOptions, LoadingOptions):
    """Device of a training, and the files that it keeps on disk."""

    heading: ClassVar[str] = "engine"

    gradient_checkpointing: bool = option(
        False, doc="recompute activations in the backward pass: less memory, more time"
    )
    shard_backbone: bool = option(
        False,
        doc="with several processes (torchrun): each holds a piece of every frozen layer, for a "
        "backbone that is too large for one GPU",
    )
    truncate: int | None = option(
        None,
        doc="UniRep: gradients flow back through at most this many residues (truncated "
        "back-propagation through time); default: through the whole sequence",
        limit="1 or more",
    )
    embedding_cache: Path | None = option(
        None,
        doc="folder that keeps outputs of frozen layers and found homologues for later runs",
    )
    trunk_gb: float = option(
        20.0,
        doc="disk space for the hidden states of frozen layers below the trained ones, which are "
        "computed once; 0: these layers run in every step",
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
        doc="how validation calibrates probabilities; auto: the best method in cross-validation",
    )
    baselines: tuple[str, ...] = option(
        ("auto",),
        doc="baselines to compare with: auto (all that suit the task), none, or "
        "comma-separated names",
    )
