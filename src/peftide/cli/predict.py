"""`peftide predict`."""

from pathlib import Path

from peftide.cli.closing import beside, predict_command, reading_words, say_next
from peftide.cli.streams import require_output, say
from peftide.commands.predict import predict
from peftide.config import EvaluateConfig, PredictConfig, TrainConfig, from_mapping, read_yaml
from peftide.config.unread import Names
from peftide.evaluation.tables import write_table
from peftide.files import is_pipe
from peftide.quantities import count_of
from peftide.run_folder import RunFolder

VIEWERS = {".gz": "zless", ".xz": "xzless"}
"""Ending of a compressed table → the command that shows it."""


def run(config: PredictConfig, given: Names) -> None:
    """Predict, write the table to `--out` or standard output, and print the next command."""
    if config.out is None:
        require_output()
    predictions = predict(config, given=given)
    if config.out is None:
        write_table(predictions, None)
    else:
        say(f"{count_of(len(predictions), 'row')}: {config.out}", wrap=False)
    say_next(*next_commands(config, labelled="label" in predictions))


def next_commands(config: PredictConfig, *, labelled: bool) -> list[list[str]]:
    """Return the next command: score labelled rows, else show the table, else write it."""
    if labelled and can_evaluate(config):
        words = ["peftide", "evaluate", str(config.run), "--input", str(config.input)]
        words += reading_words(config, EvaluateConfig)
        return [[*words, "--out", str(beside(config.run, "_scores"))]]
    if config.out is not None:
        return [[VIEWERS.get(config.out.suffix, "head"), str(config.out)]]
    return predict_command(config.run, config.input, config)


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
