"""`peftide pull`."""

from peftide.cli.closing import say_next, say_written
from peftide.commands.pull import pull
from peftide.config import PullConfig
from peftide.config.unread import Names
from peftide.run_folder import RunFolder


def run(config: PullConfig, given: Names) -> None:
    """Download the model, and name a command that uses it."""
    folder = pull(config, given=given)
    say_written(model=folder, model_card=RunFolder(folder).card)
    say_next(
        ["peftide", "predict", str(folder), "--input", "new_rows.tsv", "--out", "answers.tsv"],
        hint="To predict your proteins, pass your own table as --input.",
    )
