"""The options of `peftide pretrain`, checked before a model is built. No torch."""

from collections.abc import Iterator
from pathlib import Path

from peftide.backbones.names import check_backbone
from peftide.config import PretrainConfig
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Choice, Names, unread_problems
from peftide.errors import raise_problems
from peftide.files import is_readable
from peftide.pretraining.corpus import MIN_CROP, CorpusFiles


def check_options(config: PretrainConfig, *, given: Names = NOTHING) -> CorpusFiles:
    """Return the files of the corpus; refuse options that do not fit together.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        Names all wrong options and all missing files.
    """
    check_device(config.device)
    check_backbone(config.backbone)
    files = CorpusFiles(config.sequences, config.exclude, config.clusters, config.min_length)
    problems = [f"{p}: no such file" for p in input_paths(config, files) if not is_readable(p)]
    if config.backbone is None and config.width % (2 * config.attention_heads):
        problems.append(
            f"--width: received {config.width}, expected a multiple of twice --attention-heads "
            f"({2 * config.attention_heads})"
        )
    problems += unread_problems(config, choices(config), given=given)
    if config.precision == "int8":
        problems.append("--precision: received int8, but a pretraining has no frozen layers")
    if config.row_tokens < MIN_CROP + 2:
        problems.append(
            f"--row-tokens: received {config.row_tokens}, expected {MIN_CROP + 2} or more"
        )
    if config.relatives_weight > 0 and (config.rows % 2 or config.rows < 4):
        problems.append(
            f"--rows: received {config.rows}, expected an even number from 4 up, "
            "because --relatives-weight compares rows in pairs"
        )
    raise_problems(problems)
    return files


def choices(config: PretrainConfig) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    if config.backbone is not None:
        new = {"layers", "width", "attention_heads", "initializer_range", "local_heads"}
        yield Choice("a pretraining with --backbone", frozenset(new))
    if config.alignments is None:
        yield Choice("a pretraining without --alignments", frozenset({"profiles_weight"}))
    if config.clusters is None:
        yield Choice("a pretraining without --clusters", frozenset({"cluster_power"}))


def input_paths(config: PretrainConfig, files: CorpusFiles) -> list[Path]:
    """Return all files that a pretraining reads."""
    return files.paths() + ([] if config.alignments is None else [config.alignments])
