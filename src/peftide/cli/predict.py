"""`peftide predict`."""

from pathlib import Path

import pandas as pd

from peftide.bundle_record import read_answering
from peftide.cli.closing import beside, next_prediction, predict_command, reading_words, say_next
from peftide.cli.streams import require_output, say
from peftide.commands.predict import predict
from peftide.config import (
    EvaluateConfig,
    ExplainConfig,
    PredictConfig,
    TrainConfig,
    from_mapping,
    read_yaml,
)
from peftide.config.unread import Names
from peftide.evaluation.tables import write_table
from peftide.files import is_pipe
from peftide.quantities import count_of
from peftide.run_folder import RunFolder


def run(config: PredictConfig, given: Names) -> None:
    """Predict, write the table to `--out` or standard output, and print the next command."""
    if config.out is None:
        require_output()
    predictions = predict(config, given=given)
    if config.out is None:
        write_table(predictions, None)
    else:
        say(f"{count_of(len(predictions), 'row')}: {config.out}", wrap=False)
    say_next(*next_commands(config, predictions))


def next_commands(config: PredictConfig, predictions: pd.DataFrame) -> list[list[str]]:
    """Return the next command: score labelled rows, else explain the first answer, else write."""
    if "label" in predictions and can_evaluate(config):
        words = ["peftide", "evaluate", str(config.run), "--input", str(config.input)]
        words += reading_words(config, EvaluateConfig)
        return [[*words, "--out", str(beside(config.run, "_scores"))]]
    again = predict_command(config.run, config.input, config)
    if config.out is None or not again:
        return again
    if read_answering(config.run)[0].wild_type is not None:
        return [next_prediction(config.run)[0]]
    first = str(predictions.iloc[0, 0])
    words = ["peftide", "explain", str(config.run), "--input", str(config.input), "--ids", first]
    words += reading_words(config, ExplainConfig)
    return [[*words, "--out", str(beside(config.run, "_explained"))]]


def can_evaluate(config: PredictConfig) -> bool:
    """Return whether the table can be read again, and is none that the model was trained on."""
    options = RunFolder(config.run).config
    if any(isinstance(path, Path) and is_pipe(path) for path in (config.input, config.sequences)):
        return False
    if not options.is_file():
        return True
    training = from_mapping(TrainConfig, read_yaml(options))
    tables = (training.data, training.train, training.validation)
    return config.input.resolve() not in [p.resolve() for p in tables if isinstance(p, Path)]
