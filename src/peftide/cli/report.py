"""`peftide report`."""

from pathlib import Path

from peftide.cli.closing import after_training, beside, new_data_hint, say_next, say_written
from peftide.config import ReportConfig, TrainConfig, from_mapping, read_yaml
from peftide.config.unread import Names
from peftide.outputs import command_in, read_record
from peftide.report import write_report
from peftide.report.forms import RunForm
from peftide.run_folder import RunFolder


def run(config: ReportConfig, _given: Names) -> None:
    """Write the report of a run folder, and print its path and the next command."""
    say_written(report=write_report(config.run, title=config.title))
    commands = next_commands(config.run)
    runs = [Path(words[2]) for words in commands if words[1] == "predict"]
    say_next(*commands, hint=new_data_hint(runs[0]) if runs else "")


def next_commands(folder: Path) -> list[list[str]]:
    """Return the command that uses the results of a report; none if there is no model."""
    command = command_in(RunFolder(folder).record)
    if command == "sweep":
        best = ["peftide", "train", "--config", str(folder / "best.yaml")]
        return [[*best, "--out", str(beside(folder, "_best"))]]
    folder = folder / "best" if command == "compare" else folder
    # the folder of an evaluation names the run that it scored
    run = Path(read_record(RunFolder(folder).record, RunForm).get("model") or folder)
    options = RunFolder(run).config
    if not options.is_file():
        return []
    return after_training(run, from_mapping(TrainConfig, read_yaml(options)))
