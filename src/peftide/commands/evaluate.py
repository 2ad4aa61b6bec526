"""`peftide evaluate`: a trained model and a labelled table in; scores and predictions out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peftide.backbones.names import check_backbone
from peftide.bundle_record import read_answering
from peftide.config import EvaluateConfig
from peftide.config.limits import check_device
from peftide.config.unread import NOTHING, Choice, Names, reading_choices, unread_problems
from peftide.errors import raise_problems
from peftide.evaluation.beside import check_baselines
from peftide.evaluation.results import EVALUATE
from peftide.outputs import making_folder, require_file
from peftide.report import write_report_if_possible
from peftide.training.options import table_choices


def evaluate(config: EvaluateConfig, *, given: Names = NOTHING) -> dict[str, Any]:
    """Score a model on a labelled table; write scores and predictions; return the scores.

    If a call is interrupted, the next one reuses the proteins that it has encoded.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the model or the table is wrong, the model has seen a protein of the table, or the output
        exists.
    """
    inputs = [path for path in (config.input, config.sequences) if isinstance(path, Path)]
    with making_folder(
        config.out, command=EVALUATE, overwrite=config.overwrite, inputs=inputs
    ) as work:
        check_request(config, given=given)
        # torch and all that stands on it: a refusal above should not wait for them
        from peftide.predictor.evaluating import run_evaluation

        metrics = run_evaluation(config, work, given=given)
        write_report_if_possible(config.out, title=config.title)
    return metrics


def check_request(config: EvaluateConfig, *, given: Names) -> None:
    """Raise if an option does not suit the model; weights and table are not read.

    Raises
    ------
    InputError
        If there is no model, or an option is wrong.
    """
    recipe, answering = read_answering(config.run)
    answering.check(error_rate=config.error_rate)
    problems = unread_problems(config, choices(config, recipe.task), given=given)
    raise_problems(problems + check_baselines(config.baselines, answering.task))
    check_device(config.device)
    check_backbone(config.backbone)
    require_file(config.input, where="--input")


def choices(config: EvaluateConfig, task: str) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    yield from table_choices(task)
    yield from reading_choices(config)
    if config.part is None:
        yield Choice("an evaluation without --part", frozenset({"split_column"}))
