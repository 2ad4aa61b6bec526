"""`peftide explain`."""

from peftide.cli.closing import say_written
from peftide.cli.streams import say
from peftide.commands.explain import explain
from peftide.config import ExplainConfig
from peftide.config.unread import Names
from peftide.report.explanation import LOG_ODDS
from peftide.run_folder import RunFolder

SHOWN = 10
LEGEND = (
    "area: how far the score falls on average while the residues with the largest contributions "
    "are hidden; random_area: the same for random residues; lead: the difference of both; ahead: "
    "whether area is larger than in every random order"
)
UNCALIBRATED = (
    "; score: 0 at even odds, and before calibration, so it is not the probability that predict "
    "gives"
)


def run(config: ExplainConfig, given: Names) -> None:
    """Explain, then print the proteins, the strongest residues and the verdict."""
    found = explain(config, given=given)
    say(found.proteins.head(SHOWN).to_string(index=False, float_format="{:.4g}".format))
    if len(found.proteins) > SHOWN:
        say(f"… and {len(found.proteins) - SHOWN:,} more in {config.out}", wrap=False)
    say(LEGEND + (UNCALIBRATED if found.proteins["target"].iloc[0].startswith(LOG_ODDS) else ""))
    faithful = found.faithfulness
    say(f"verdict: {faithful.verdict}", style="good" if faithful.is_faithful else "bad")
    say_written(tables=config.out, report=RunFolder(config.out).report)
