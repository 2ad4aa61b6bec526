"""`peftide evaluate`."""

from peftide.cli.closing import say_next_prediction, say_written
from peftide.cli.printing import print_metrics
from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig
from peftide.config.unread import Names
from peftide.run_folder import RunFolder


def run(config: EvaluateConfig, given: Names) -> None:
    """Evaluate, then print the scores, the verdicts and the next command."""
    print_metrics(evaluate(config, given=given))
    say_written(scores_and_predictions=config.out, report=RunFolder(config.out).report)
    say_next_prediction(config.run)
