"""`peftide evaluate`."""

from peftide.cli.printing import metrics_lines
from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig


def run(config: EvaluateConfig) -> None:
    """Evaluate, then print the scores."""
    print("\n".join(metrics_lines(evaluate(config))))
    print(f"scores and predictions: {config.out}")
