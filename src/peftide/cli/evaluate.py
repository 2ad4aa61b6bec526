"""`peftide evaluate`."""

from peftide.cli.printing import metrics_lines
from peftide.config import EvaluateConfig
from peftide.workflows.evaluate import evaluate


def run(config: EvaluateConfig) -> None:
    """Evaluate, then print the scores."""
    print("\n".join(metrics_lines(evaluate(config))))
    print(f"scores and predictions: {config.out}")
