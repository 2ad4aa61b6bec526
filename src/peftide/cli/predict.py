"""`peftide predict`."""

import argparse

from peftide.cli.arguments import parse_config
from peftide.config import PredictConfig
from peftide.workflows.predict import predict


def run(arguments: argparse.Namespace) -> None:
    """Predict; the table itself goes to `--out` or standard output."""
    config = parse_config(PredictConfig, arguments)
    predictions = predict(config)
    if config.out is not None:
        print(f"{len(predictions):,} rows: {config.out}")
