"""`peftide evaluate`."""

from peftide.cli.closing import new_data_hint, predict_command, say_next, say_written
from peftide.cli.printing import print_metrics
from peftide.commands.evaluate import evaluate
from peftide.config import EvaluateConfig
from peftide.config.unread import Names
from peftide.run_folder import RunFolder


def run(config: EvaluateConfig, given: Names) -> None:
    """Evaluate, then print the scores, the verdicts and the next command."""
    print_metrics(evaluate(config, given=given))
    say_written(scores_and_predictions=config.out, report=RunFolder(config.out).report)
    commands = predict_command(config.run, config.input, config)
    say_next(*commands, hint=new_data_hint(config.run))
