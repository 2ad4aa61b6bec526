"""`peftide predict`: a trained model and a table in; one row of answers per row out."""

import logging
from typing import Any

import pandas as pd

from peftide.commands.using import PART, Answered, answer, join, open_model
from peftide.config import PredictConfig
from peftide.config.unread import NOTHING, Names, unread_problems
from peftide.errors import raise_problems
from peftide.evaluation.answers import CAVEATS, bundle_columns, check_answer_options
from peftide.evaluation.tables import prediction_table, write_table
from peftide.outputs import check_file
from peftide.sequences import Table, read_table, table_from_fasta
from peftide.sequences.text_files import read_text
from peftide.tasks import TASKS
from peftide.tasks.reading import reading_options
from peftide.tasks.residue import check_lengths
from peftide.training.options import level_choice
from peftide.types import Level

logger = logging.getLogger(__name__)


def predict(config: PredictConfig, *, given: Names = NOTHING) -> pd.DataFrame:
    """Predict every row of a table and write the answers.

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
    bundle = open_model(config.run, allow_bin=config.allow_bin)
    check_answer_options(bundle, error_rate=config.error_rate, prevalence=config.prevalence)
    level = TASKS[bundle.recipe.task].level
    choice = level_choice(bundle.recipe.task)
    raise_problems(unread_problems(config, [choice], given=given))
    if config.error_rate is not None:
        logger.warning("note: %s", CAVEATS[level])
    dataset = join(read_input(config, level=level), bundle, config)
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
    if config.out is not None:
        write_table(predictions, config.out)
    return predictions


def read_input(config: PredictConfig, *, level: Level) -> Table:
    """Read a table without labels, or for single sequences a FASTA file."""
    if level != "pair" and read_text(config.input).lstrip().startswith(">"):
        return table_from_fasta(config.input)
    return read_table(config.input, config, level=level, needs_labels=False)


def answers_table(answered: Answered, columns: dict[str, Any]) -> pd.DataFrame:
    """Return ids, labels if given, and answers, one row per input row (or residue)."""
    return prediction_table(
        answered.examples,
        answered.dataset.proteins,
        task=answered.task,
        answers=columns,
        residues=answered.residues,
    )
