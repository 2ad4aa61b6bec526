"""The folder of any command that writes a report → its report, written again."""

from pathlib import Path

from peftide.outputs import command_in
from peftide.report.comparison import write_comparison
from peftide.report.page import write_run
from peftide.report.sweep import write_sweep
from peftide.run_folder import RunFolder

WRITERS = {"compare": write_comparison, "sweep": write_sweep}
"""Command → what writes its report; all others have scores."""


def write_report(path: str | Path, *, title: str | None = None) -> Path:
    """Write `report.html` into a finished folder, from its other files; return its path.

    Parameters
    ----------
    path
        Folder of `train`, `evaluate`, `compare` or `sweep`.
    title
        Title of the page; default: the title that the command was given, or the page's own.

    Raises
    ------
    InputError
        If the folder has no results, or a file is damaged.
    StorageError
        If the page cannot be written.
    """
    folder = Path(path)
    return WRITERS.get(command_in(RunFolder(folder).record), write_run)(folder, title=title)
