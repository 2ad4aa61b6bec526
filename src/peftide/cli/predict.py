"""`peftide predict`."""

from peftide.commands.predict import predict
from peftide.config import PredictConfig


def run(config: PredictConfig) -> None:
    """Predict; the table itself goes to `--out` or standard output."""
    predictions = predict(config)
    if config.out is not None:
        print(f"{len(predictions):,} rows: {config.out}")
