"""`peftide train`."""

from peftide.cli.printing import metrics_lines
from peftide.cli.streams import say
from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.config.unread import Names
from peftide.outputs import read_record
from peftide.report.forms import AuditForm
from peftide.run_folder import RunFolder


def run(config: TrainConfig, given: Names) -> None:
    """Train, then print the scores of the model and the baselines."""
    result = train(config, given=given)
    say("\n".join(metrics_lines(result.metrics)))
    audit = read_record(RunFolder(result.path).audit, AuditForm)
    if "conclusion" in audit:
        say(f"audit: {audit['conclusion']}")
    say(f"run folder: {result.path}")
