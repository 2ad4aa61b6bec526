"""`peftide report`."""

from peftide.cli.streams import say
from peftide.config import ReportConfig
from peftide.config.unread import Names
from peftide.report import write_report


def run(config: ReportConfig, _given: Names) -> None:
    """Write the report of a run folder, and print its path."""
    say(f"report: {write_report(config.run, title=config.title)}")
