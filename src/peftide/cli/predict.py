"""`peftide predict`."""

from peftide.cli.streams import require_output, say
from peftide.commands.predict import predict
from peftide.config import PredictConfig
from peftide.config.unread import Names
from peftide.evaluation.tables import write_table


def run(config: PredictConfig, given: Names) -> None:
    """Predict, and write the table to `--out` or standard output."""
    if config.out is None:
        require_output()
    predictions = predict(config, given=given)
    if config.out is None:
        write_table(predictions, None)
    else:
        say(f"{len(predictions):,} rows: {config.out}")
