"""`peftide predict`: a trained model and a table in; one row of answers per row out."""

from collections.abc import Iterator

import pandas as pd

from peftide.bundle import load_bundle, read_answering
from peftide.config import PredictConfig
from peftide.config.unread import NOTHING, Choice, Names, unread_problems
from peftide.errors import raise_problems
from peftide.evaluation.tables import write_table
from peftide.files import remove
from peftide.hardware import choose_hardware
from peftide.outputs import check_file, require_file, table_form, unfinished
from peftide.predictor.predictor import predictor_of
from peftide.sequences.findings import say_findings
from peftide.tasks import TASKS
from peftide.training.options import level_choice


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
    if config.out is not None:
        inputs = (config.input, config.sequences)
        check_file(config.out, overwrite=config.overwrite, inputs=inputs)
        table_form(config.out)
    recipe, answering = read_answering(config.run)  # weights are not needed to refuse
    answering.check(error_rate=config.error_rate, prevalence=config.prevalence)
    raise_problems(unread_problems(config, choices(recipe.task), given=given))
    require_file(config.input, where="--input")
    hardware = choose_hardware(config)
    bundle = load_bundle(config.run, allow_bin=config.allow_bin, backbone=config.backbone)
    predictor = predictor_of(bundle, hardware)
    dataset = predictor.read(config.input, config.sequences, columns=config)
    say_findings(dataset.findings)
    beside = None if config.out is None else unfinished(config.out)
    logits = predictor.logits(dataset, store=config.embedding_cache or beside)
    columns = predictor.answering.columns(
        logits, error_rate=config.error_rate, prevalence=config.prevalence
    )
    predictions = predictor.table(dataset, columns)
    if config.out is not None:
        write_table(predictions, config.out)
        remove(unfinished(config.out))
    return predictions


def choices(task: str) -> Iterator[Choice]:
    """Yield the choices that decide whether options are read."""
    yield level_choice(task)
    yield Choice("a prediction", frozenset({"self_pairs"}))
    if TASKS[task].level == "pair":
        yield Choice("a prediction of pairs", frozenset({"strict"}))
