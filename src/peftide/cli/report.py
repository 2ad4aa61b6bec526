"""`peftide report`."""

from pathlib import Path

from peftide.cli.closing import beside, say_next, say_next_prediction, say_written
from peftide.config import ReportConfig
from peftide.config.unread import Names
from peftide.outputs import command_in, read_record
from peftide.report import write_report
from peftide.report.forms import RunForm
from peftide.run_folder import RunFolder


def run(config: ReportConfig, _given: Names) -> None:
    """Write the report of a run folder, and print its path and the next command."""
    say_written(report=write_report(config.run, title=config.title))
    if command_in(RunFolder(config.run).record) == "sweep":
        best = ["peftide", "train", "--config", str(config.run / "best.yaml")]
        say_next([*best, "--out", str(beside(config.run, "_best"))])
    elif (run := model_of(config.run)) is not None:
        say_next_prediction(run)


def model_of(folder: Path) -> Path | None:
    """Return the run with the model that a report is about; None if there is none."""
    folder = folder / "best" if command_in(RunFolder(folder).record) == "compare" else folder
    # the folder of an evaluation names the run that it scored
    run = Path(read_record(RunFolder(folder).record, RunForm).get("model") or folder)
    return run if RunFolder(run).config.is_file() else None
