"""`peftide train`."""

import argparse
from pathlib import Path

from peftide.cli.arguments import given_values
from peftide.cli.printing import metrics_lines
from peftide.config import TrainConfig, as_mapping, from_mapping
from peftide.errors import InputError
from peftide.run_folder import RunFolder, resumed_config
from peftide.workflows.train import train


def run(arguments: argparse.Namespace) -> None:
    """Train, then print the scores beside the baseline."""
    values = given_values(arguments)
    if values.get("resume") and RunFolder(Path(values.get("out", ""))).config.is_file():
        values = as_mapping(resumed_config(Path(values["out"]))) | values
    elif values.get("resume") and "task" not in values:
        raise InputError(
            f"{values.get('out')} holds no run yet",
            where="--resume",
            fix="Start it with all its options",
        )
    result = train(from_mapping(TrainConfig, values))
    for line in metrics_lines(result.metrics):
        print(line)
    print(f"run folder: {result.path}")
