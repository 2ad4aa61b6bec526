"""`peftide train`."""

from peftide.cli.printing import metrics_lines
from peftide.cli.streams import say
from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.config.unread import Names


def run(config: TrainConfig, given: Names) -> None:
    """Train, then print the scores of the model and the baselines."""
    result = train(config, given=given)
    say("\n".join(metrics_lines(result.metrics)))
    say(f"run folder: {result.path}")
