"""`peftide evaluate`."""

from peftide.cli.printing import metrics_lines
from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig
from peftide.config.unread import Names


def run(config: EvaluateConfig, given: Names) -> None:
    """Evaluate, then print the scores."""
    print("\n".join(metrics_lines(evaluate(config, given=given))))
    print(f"scores and predictions: {config.out}")
