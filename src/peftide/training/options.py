"""Options of a training that contradict each other, or that nothing reads."""

from dataclasses import fields, replace

from peftide.adapters import ADAPTERS
from peftide.backbones.quantised import check_base_bits
from peftide.config import TrainConfig
from peftide.config.limits import out_of_range
from peftide.config.reading import flag
from peftide.errors import raise_problems
from peftide.evaluation.beside import check_baselines
from peftide.tasks import Task
from peftide.training.setting import find_adapter

ADAPTER_OPTIONS = "lora_"
LIMITS = {
    "1 or more": (
        "epochs",
        "batch_size",
        "head_width",
        "lora_r",
        "lora_alpha",
        "patience",
        "blocks",
    ),
    "0 or more": ("weight_decay", "head_weight_decay", "checkpoint_minutes", "trunk_gb"),
    "a number above 0": ("learning_rate", "head_learning_rate", "max_grad_norm"),
    "0 or more, below 1": ("head_dropout", "lora_dropout", "warmup_fraction"),
    "0 or more, below 2,147,483,648": ("seed",),
}


def check_options(config: TrainConfig, task: Task) -> None:
    """Raise for options that no training can have.

    Raises
    ------
    InputError
        Naming all of them.
    """
    problems = [
        f"{flag(name)}: received {value}; expected {expected}"
        for name, value, expected in out_of_range(config, LIMITS)
    ]
    if config.imbalance != "none" and not task.outcome.supports_imbalance:
        problems.append(
            f"--imbalance: received {config.imbalance}; the task {config.task} predicts numbers, "
            "so there are no rare classes"
        )
    if config.sampler == "blocks" and task.level != "pair":
        problems.append(f"--sampler: received blocks; the task {config.task} has no pairs")
    if config.class_map is not None and config.task != "symmetry":
        problems.append(f"--class-map: the task {config.task} has none")
    problems += [
        f"{flag(name)}: --method {config.method} does not read it; leave it out"
        for name in unread_options(config)
    ]
    problems += base_bits_problems(config)
    possible = task.outcome.calibrations
    if config.calibration not in ("auto", *possible):
        known = ", ".join(possible)
        problems.append(
            f"--calibration: received {config.calibration}; this task can have: auto, {known}"
        )
    problems += check_baselines(config.baselines, task)
    raise_problems(problems)
    check_base_bits(config.base_bits)


def base_bits_problems(config: TrainConfig) -> list[str]:
    """Return what is wrong with `--base-bits` beside the machine, as text."""
    if config.base_bits is None:
        return []
    problems = []
    if not find_adapter(config.method).takes_quantised:
        fitting = ", ".join(name for name, adapter in ADAPTERS.items() if adapter.takes_quantised)
        problems.append(
            f"--base-bits: received {config.base_bits}, but --method {config.method} needs the "
            f"backbone's own weights whole; expected one of {fitting}"
        )
    if not config.device.startswith(("auto", "cuda")):
        problems.append(
            f"--base-bits: received {config.base_bits} with --device {config.device}; expected cuda"
        )
    return problems


def unread_options(config: TrainConfig) -> list[str]:
    """Return the adapter options that were given, but that the method does not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> unread_options(TrainConfig(task="ppi", out=Path("run"), method="head", lora_r=4))
    ['lora_r']
    """
    reads = find_adapter(config.method).reads
    return [
        item.name
        for item in fields(config)
        if item.name.startswith(ADAPTER_OPTIONS)
        and item.name not in reads
        and getattr(config, item.name) != item.default
    ]


def for_method(config: TrainConfig, method: str) -> TrainConfig:
    """Return the same training by another method, without the options that it does not read.

    Examples
    --------
    >>> from pathlib import Path
    >>> config = for_method(TrainConfig(task="ppi", out=Path("run"), lora_r=4), "head")
    >>> config.method, config.lora_r
    ('head', 8)
    """
    other = replace(config, method=method)
    unread = unread_options(other)
    return replace(other, **{i.name: i.default for i in fields(other) if i.name in unread})
