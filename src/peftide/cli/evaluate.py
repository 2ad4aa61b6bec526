"""`peftide evaluate`."""

from peftide.cli.printing import metrics_lines
from peftide.cli.streams import say
from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig
from peftide.config.unread import Names


def run(config: EvaluateConfig, given: Names) -> None:
    """Evaluate, then print the scores."""
    say("\n".join(metrics_lines(evaluate(config, given=given))))
    say(f"scores and predictions: {config.out}")
