"""`peftide predict`: a trained model and a table in; one row of answers per row out."""

import logging
from typing import Any

import pandas as pd

from peftide.commands.using import PART, Answered, answer, join, open_model
from peftide.config import PredictConfig
from peftide.evaluation.answers import CAVEATS, bundle_columns, check_answer_options
from peftide.evaluation.tables import prediction_table, write_table
from peftide.outputs import check_file
from peftide.sequences import read_table
from peftide.tasks import TASKS
from peftide.tasks.reading import reading_options
from peftide.tasks.residue import check_lengths

logger = logging.getLogger(__name__)


def predict(config: PredictConfig) -> pd.DataFrame:
    """Predict every row of a table and write the answers.

    Raises
    ------
    InputError
        If the model or the table is wrong, or the output exists.
    """
    if config.out is not None:
        inputs = (config.input, config.sequences)
        check_file(config.out, overwrite=config.overwrite, inputs=inputs)
    bundle = open_model(config.run, allow_bin=config.allow_bin)
    check_answer_options(bundle, error_rate=config.error_rate, prevalence=config.prevalence)
    level = TASKS[bundle.recipe.task].level
    if config.error_rate is not None:
        logger.warning("note: %s", CAVEATS[level])
    table = read_table(config.input, config, level=level, needs_labels=False)
    dataset = join(table, bundle, config)
    if level == "residue":
        options = reading_options(
            dataset, PART, max_length=bundle.recipe.max_length, class_map=None
        )
        check_lengths(dataset.parts[PART], options)
    answered = answer(bundle, dataset, config)
    columns = bundle_columns(
        bundle, answered.logits, error_rate=config.error_rate, prevalence=config.prevalence
    )
    predictions = answers_table(answered, columns)
    write_table(predictions, config.out)
    return predictions


def answers_table(answered: Answered, columns: dict[str, Any]) -> pd.DataFrame:
    """Return ids, labels if given, and answers, one row per input row (or residue)."""
    return prediction_table(
        answered.examples,
        answered.dataset.proteins,
        task=answered.task,
        answers=columns,
        residues=answered.residues,
    )
