"""`peftide evaluate`."""

import argparse

from peftide.cli.arguments import parse_config
from peftide.cli.printing import metrics_lines
from peftide.config import EvaluateConfig
from peftide.workflows.evaluate import evaluate


def run(arguments: argparse.Namespace) -> None:
    """Evaluate, then print the scores."""
    config = parse_config(EvaluateConfig, arguments)
    for line in metrics_lines(evaluate(config)):
        print(line)
    print(f"scores and predictions: {config.out}")
