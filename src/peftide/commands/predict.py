"""`peftide predict`: a trained model and a table in; one row of answers per row out."""

import pandas as pd

from peftide.config import PredictConfig
from peftide.config.unread import NOTHING, Names, unread_problems
from peftide.errors import raise_problems
from peftide.evaluation.tables import write_table
from peftide.files import remove
from peftide.hardware import choose_hardware
from peftide.outputs import check_file, unfinished
from peftide.predictor.predictor import open_bundle, predictor_of
from peftide.sequences.findings import say_findings
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
    bundle = open_bundle(config.run, allow_bin=config.allow_bin)
    bundle.answering.check(error_rate=config.error_rate, prevalence=config.prevalence)
    choice = level_choice(bundle.recipe.task)
    raise_problems(unread_problems(config, [choice], given=given))
    predictor = predictor_of(bundle, choose_hardware(config))
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
