"""`peftide predict`: a trained model and a table in; one row of answers per row out."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from peftide.backbones.names import check_backbone
from peftide.bundle_record import read_answering
from peftide.config import ExplainConfig, PredictConfig
from peftide.config.limits import check_device
from peftide.config.unread import (
    NOTHING,
    Choice,
    Names,
    output_choices,
    reading_choices,
    unread_problems,
)
from peftide.errors import raise_problems
from peftide.evaluation.tables import is_prediction_table, write_table
from peftide.outputs import making_file, require_file, table_form
from peftide.sequences.findings import say_findings
from peftide.tasks import TASKS
from peftide.training.options import table_choices


def predict(config: PredictConfig, *, given: Names = NOTHING) -> pd.DataFrame:
    """Predict every row of a table; write the answers to `out` if it is given.

    Until the answers are written, encoded proteins are kept next to `out` (or in
    `embedding_cache`), so the call can be repeated after an interruption without encoding them
    again.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If the model or the table is wrong, or the output exists.
    """
    if config.out is None:
        return _predictions(config, given=given, store=config.embedding_cache)
    table_form(config.out)
    with making_file(
        config.out,
        command="predict",
        overwrite=config.overwrite,
        inputs=(config.input, config.sequences),
        is_ours=is_prediction_table,
    ) as work:
        store = config.embedding_cache or work.store
        predictions = _predictions(config, given=given, store=store)
        write_table(predictions, work.new / work.out.name)
        work.put()
    return predictions


def _predictions(config: PredictConfig, *, given: Names, store: Path | None) -> pd.DataFrame:
    recipe, answering = read_answering(config.run)  # weights are not needed to refuse
    answering.check(error_rate=config.error_rate, prevalence=config.prevalence)
    raise_problems(unread_problems(config, choices(recipe.task, config), given=given))
    check_device(config.device)
    check_backbone(config.backbone)
    require_file(config.input, where="--input")
    # torch and all that stands on it: a refusal above should not wait for them
    from peftide.hardware import choose_hardware
    from peftide.predictor.predictor import opened

    hardware = choose_hardware(config)
    predictor = opened(config.run, hardware, allow_bin=config.allow_bin, backbone=config.backbone)
    dataset = predictor.read(config.input, config.sequences, columns=config)
    say_findings(dataset.findings)
    logits = predictor.logits(dataset, store=store)
    columns = predictor.answering.columns(
        logits, error_rate=config.error_rate, prevalence=config.prevalence
    )
    return predictor.table(dataset, columns)


def choices(task: str, config: PredictConfig | ExplainConfig) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    yield from table_choices(task)
    yield from reading_choices(config)
    yield from output_choices(config, what="a prediction")
    yield Choice("a prediction", frozenset({"self_pairs"}))
    if TASKS[task].level == "pair":
        yield Choice("a prediction of pairs", frozenset({"strict"}))
