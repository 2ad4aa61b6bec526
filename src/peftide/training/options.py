"""The options that each choice of a training reads; options that are not read are refused."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from peftide.adapters import ADAPTERS, READS, check_method
from peftide.adapters.layers import check_layers, check_targets
from peftide.backbones.names import (
    RANDOM_PREFIX,
    UNIREP_SIZES,
    check_backbone,
    is_unirep,
)
from peftide.config import MethodOptions, OptimizerOptions, TrainConfig
from peftide.config.limits import check_device
from peftide.config.unread import (
    NOTHING,
    Choice,
    Names,
    choice_of,
    reading_choices,
    unread_problems,
)
from peftide.distributed import process_count
from peftide.errors import raise_problems
from peftide.evaluation.beside import check_baselines
from peftide.sequences.training_tables import TrainingTables
from peftide.tasks import TASKS, VARIANT_TASKS, Task

Table = Mapping[str, Names]
"""Value of a choice → the options that only this value reads."""

BACKBONE: Names = frozenset({"learning_rate", "weight_decay", "trunk_gb"}) | {
    "gradient_checkpointing",
    "shard_backbone",
    "truncate",
}
"""Options that are read if the backbone trains."""
ADAPTER: Names = frozenset(item.name for item in fields(MethodOptions)) - {"method"}
"""Options that `READS` of a method may name."""
METHODS: Table = {
    "head": frozenset({"trunk_gb"}),  # read if the pooling trains
    "full": BACKBONE - {"trunk_gb", "shard_backbone"},  # no layer stays frozen
    # vectors do not decay
    **dict.fromkeys(("bias", "layer_norm", "ia3", "vera"), BACKBONE - {"weight_decay"}),
}
"""Method → the options in `BACKBONE` that it reads; methods without an entry read all."""
POOLINGS: Table = {
    **dict.fromkeys(("mean", "cls", "ends", "window"), NOTHING),
    "attention": frozenset({"trunk_gb"}),
}
"""For a frozen backbone. Attention pooling trains, so it needs the residues in every step."""
MIXED = "mlp,dot"
"""The head of two forms."""
SEEDS: Names = frozenset({"seeds"})
"""Read if only the head trains."""
HEADS: Table = {
    "auto": frozenset({"head_width", "head_dropout", "pairing"}),
    "mlp": frozenset({"head_width", "head_dropout", "pairing"}),
    "linear": frozenset({"pairing"}),
    "dot": frozenset({"head_width", "head_dropout"}),
    MIXED: frozenset({"head_width", "head_dropout", "pairing"}),
    "ridge": NOTHING,
}
STEPS: Names = frozenset(item.name for item in fields(OptimizerOptions)) | {"checkpoint_minutes"}
"""Read if a training has steps: the ridge regression on a frozen backbone has none."""
VARIANTS: Table = {
    "variants": frozenset({"wild_type", "mutant_column", "offset"}),
    "sequences": frozenset({"pooling", "seeds"}),
}
"""Whether a task is about variants of one protein → the options that only such tasks read."""
SAMPLERS: Table = {
    "auto": frozenset({"blocks"}),
    "blocks": frozenset({"blocks"}),
    "pairs": NOTHING,
}
SINGLE: Names = frozenset({"id_column", "sequence_column", "cluster_column"})
LEVELS: Table = {
    "pair": frozenset({"id_a_column", "id_b_column", "sequence_a_column", "sequence_b_column"})
    | {"pairing", "self_pairs", "sampler", "blocks", "pooling"},
    "sequence": SINGLE | {"pooling"},
    "residue": SINGLE | {"mask_column"},
}
VALIDATIONS: Table = {
    "given": NOTHING,
    "held out": frozenset({"validation_fraction", "validation_kind", "validation_seed"}),
}
CLASS_NAMES: Table = {
    "symmetry": frozenset({"class_map"}),
    **dict.fromkeys(("multilabel", "pair-multilabel"), frozenset({"classes"})),
}
"""Tasks that merge classes, or name columns."""
IMBALANCES: Table = {"classes": frozenset({"imbalance"}), "numbers": NOTHING}


def check_names(config: TrainConfig) -> None:
    """Raise if the method, device, backbone, layers or targets have a name that no machine knows.

    This needs no table and no torch.

    Raises
    ------
    InputError
        Suggests a name.
    """
    check_method(config.method)
    check_device(config.device)
    check_backbone(config.backbone)
    check_layers(config.lora_layers)
    check_targets(config.lora_targets)


def check_options(
    config: TrainConfig,
    task: Task,
    *,
    tables: TrainingTables | None = None,
    given: Names = NOTHING,
) -> None:
    """Raise one error for all options that do not suit a training.

    Parameters
    ----------
    config
        Options with a task and a method that exist.
    tables
        The tables of the training, where they are read already.
    given
        Options that the user named in this call, even if at their default.

    Raises
    ------
    InputError
        If an option is given but not read, or its value does not suit the task or the method.
    """
    decided = [*choices(config, task), *reading_choices(config)]
    if tables is not None and config.validation is None and "validation" in tables.parts:
        decided.append(choice_of("a table with validation rows", VALIDATIONS, "given"))
    problems = unread_problems(config, decided, given=given)
    problems += base_bits_problems(config) + int8_problems(config) + head_problems(config)
    problems += layer_problems(config, task) + truncate_problems(config)
    problems += shard_problems(config)
    problems += calibration_problems(config, task)
    problems += check_baselines(config.baselines, task)
    raise_problems(problems)
    if config.base_bits is not None:
        from peftide.backbones.quantised import check_base_bits  # only torch knows the GPU

        check_base_bits(config.base_bits)


def layer_problems(config: TrainConfig, task: Task) -> list[str]:
    """Return problems of `--layer auto` with a pooling that trains, as text."""
    if config.layer != "auto" or config.pooling != "attention" or task.level == "residue":
        return []
    return ["--layer: received auto with --pooling attention, which trains; name a layer instead"]


def truncate_problems(config: TrainConfig) -> list[str]:
    """Return the problem of `--truncate` with a backbone that is not recurrent, as text."""
    name = config.backbone.removeprefix(RANDOM_PREFIX)
    if config.truncate is None or is_unirep(name):
        return []
    return [
        f"--truncate: received {config.truncate} with --backbone {config.backbone}, which is not "
        f"recurrent; expected one of {', '.join(UNIREP_SIZES)}, or leave --truncate out"
    ]


def shard_problems(config: TrainConfig) -> list[str]:
    """Return the problems of `--shard-backbone`, as text."""
    if not config.shard_backbone:
        return []
    problems = []
    if process_count() == 1:
        problems.append("received with one process; start several with torchrun")
    if config.layer == "auto":
        problems.append("received with --layer auto; name a layer instead")
    if config.max_tokens == "measured":
        problems.append("received with --max-tokens measured; name a number instead")
    if config.task in VARIANT_TASKS:
        problems.append(f"received with the task {config.task}, which needs the whole backbone")
    if config.base_bits is not None:
        problems.append("received with --base-bits; use one of both")
    return [f"--shard-backbone: {problem}" for problem in problems]


def calibration_problems(config: TrainConfig, task: Task) -> list[str]:
    """Return problems of `--calibration` with this task, as text."""
    possible = ("auto", *task.outcome.calibrations)
    if config.calibration in possible:
        return []
    known = ", ".join(possible)
    return [f"--calibration: received {config.calibration}; expected one of {known} for this task"]


def choices(config: TrainConfig, task: Task) -> Iterator[Choice]:
    """Yield all choices of a training that decide whether options are read."""
    question, pooled = f"the task {config.task}", task.level != "residue"
    outcome = "classes" if task.outcome.supports_imbalance else "numbers"
    yield from table_choices(config.task)
    yield choice_of(question, CLASS_NAMES, config.task)
    yield choice_of(f"{question} predicts {outcome} and", IMBALANCES, outcome)
    yield from method_choices(config, pooled=pooled)
    head = chosen_head(config)
    yield choice_of(f"--head {head}", HEADS, head)
    if head == "ridge" and config.method == "head":
        steps = STEPS - {"imbalance"}  # judged by the outcome
        yield Choice(f"--head {head} with --method head (no steps)", steps)
    sampler, said = config.sampler, f"--sampler {config.sampler}"
    if sampler == "auto" and not _encodes_in_steps(config, pooled=pooled):
        sampler, said = "pairs", f"{said} with --method {config.method}"
    yield choice_of(said, SAMPLERS, sampler)
    if config.validation is not None:
        yield choice_of("a training with --validation", VALIDATIONS, "given")


def table_choices(task: str) -> Iterator[Choice]:
    """Yield the choices that a task makes: it decides which columns a table has."""
    yield choice_of(f"the task {task}", LEVELS, TASKS[task].level)
    kind = "variants" if task in VARIANT_TASKS else "sequences"
    yield choice_of(f"the task {task}", VARIANTS, kind)


def chosen_head(config: TrainConfig) -> str:
    """Return the head of a training; `auto` is ridge for variants with a frozen backbone.

    Examples
    --------
    >>> from pathlib import Path
    >>> chosen_head(TrainConfig(task="variants", method="head", out=Path("run")))
    'ridge'
    """
    if config.head != "auto":
        return config.head
    is_closed = config.task in VARIANT_TASKS and config.method == "head"
    return "ridge" if is_closed else "mlp"


def head_problems(config: TrainConfig) -> list[str]:
    """Return the problems of `--head` with the task and the method, as text."""
    if "dot" in config.head.split(",") and TASKS[config.task].level != "pair":
        return [
            f"--head: received {config.head} with the task {config.task}; expected mlp or linear"
        ]
    if config.head == MIXED and _encodes_in_steps(config, pooled=True):
        given = f"--method {config.method} with --pooling {config.pooling}"
        frozen = "--method head with a pooling that does not train"
        return [f"--head: received {MIXED} with {given}; expected one form of head, or {frozen}"]
    if config.head != "ridge":
        return []
    if config.task not in VARIANT_TASKS:
        return [f"--head: received ridge with the task {config.task}; expected mlp or linear"]
    if config.method != "head":
        return [f"--head: received ridge with --method {config.method}; expected --method head"]
    return []


def method_choices(config: TrainConfig, *, pooled: bool = True) -> Iterator[Choice]:
    """Yield the choices that the method makes.

    Parameters
    ----------
    pooled
        Whether the task has one vector per sequence.
    """
    said = f"--method {config.method}"
    yield Choice(said, ADAPTER - READS.get(config.method, NOTHING))
    yield Choice(said, BACKBONE - METHODS.get(config.method, BACKBONE))
    if config.method != "head":
        yield Choice(said, SEEDS)
    else:
        pooling = config.pooling if pooled else "mean"
        trains = POOLINGS.get(pooling, NOTHING) != NOTHING
        yield Choice(f"{said} with --pooling {pooling}", SEEDS if trains else NOTHING)
        yield choice_of(f"{said} with --pooling {pooling}", POOLINGS, pooling)


def for_method(config: TrainConfig, method: str) -> TrainConfig:
    """Return the training with another method, without the options that this method ignores.

    Examples
    --------
    >>> from pathlib import Path
    >>> config = for_method(TrainConfig(task="ppi", out=Path("run"), lora_r=4), "head")
    >>> config.method, config.lora_r
    ('head', 8)
    """
    other = replace(config, method=method)
    unread: Names = NOTHING.union(*(choice.unread for choice in method_choices(other)))
    return replace(other, **{i.name: i.default for i in fields(other) if i.name in unread})


def same_validation(config: TrainConfig, tables: TrainingTables, *, seed: int) -> TrainConfig:
    """Return the training with the held-out validation part of another seed.

    Trainings compare only if their validation scores are of the same rows.
    """
    is_given = config.validation is not None or "validation" in tables.parts
    if is_given or config.seed == seed or config.validation_seed is not None:
        return config
    return replace(config, validation_seed=seed)


def unread_of(config: TrainConfig, task: Task) -> Names:
    """Return the options that a training does not read."""
    return NOTHING.union(*(choice.unread for choice in choices(config, task)))


def only_read(config: TrainConfig, task: Task) -> TrainConfig:
    """Return the training with the default of every option that it does not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> config = TrainConfig(task="ppi", out=Path("run"), method="head", lora_r=4, head_width=8)
    >>> found = only_read(config, TASKS["ppi"])
    >>> found.lora_r, found.head_width
    (8, 8)
    """
    unread = unread_of(config, task)
    return replace(config, **{i.name: i.default for i in fields(config) if i.name in unread})


def base_bits_problems(config: TrainConfig) -> list[str]:
    """Return the problems with `--base-bits` that do not depend on the machine, as text."""
    if config.base_bits is None:
        return []
    problems = []
    if not ADAPTERS[config.method].takes_quantised:
        fitting = ", ".join(name for name, adapter in ADAPTERS.items() if adapter.takes_quantised)
        problems.append(
            f"--base-bits: received {config.base_bits}, but --method {config.method} needs "
            f"backbone weights at full precision; methods that can use it: {fitting}"
        )
    if not config.device.startswith(("auto", "cuda")):
        problems.append(
            f"--base-bits: received {config.base_bits} with --device {config.device}; expected cuda"
        )
    return problems


def int8_problems(config: TrainConfig) -> list[str]:
    """Return the problems with `--precision int8` that do not depend on the backbone, as text."""
    if config.precision == "int8" and config.shard_backbone:
        return ["--precision: received int8 with --shard-backbone; expected bf16 or fp32"]
    return []


def _encodes_in_steps(config: TrainConfig, *, pooled: bool) -> bool:
    """Return whether the inputs of the head change during training."""
    return config.method != "head" or (pooled and config.pooling == "attention")
