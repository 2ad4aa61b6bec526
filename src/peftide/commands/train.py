"""`peftide train`: tables in; an adapted model, its scores and its predictions out."""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peftide.config import TrainConfig
from peftide.config.unread import NOTHING, Names, changed_options
from peftide.distributed import Processes, joined
from peftide.outputs import read_record
from peftide.report import write_report_if_possible
from peftide.run_folder import RunFolder, check_run, complete, run_to_resume
from peftide.sequences.training_tables import data_files
from peftide.tasks.detecting import AUTO, find_task
from peftide.tasks.request import Request, read_request
from peftide.training.options import check_names, check_options

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainResult:
    """Results of a training.

    Attributes
    ----------
    path
        The run folder.
    metrics
        Content of `metrics.json`.
    record
        Content of `run.json`.
    """

    path: Path
    metrics: dict[str, Any] = field(repr=False)
    record: dict[str, Any] = field(repr=False)


def train(config: TrainConfig, *, given: Names = NOTHING) -> TrainResult:
    """Train an adapted model, score it, and save it with its predictions.

    Processes that `torchrun` started share one training; each calls this function.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If an option or the data are wrong; nothing is written.
    TrainingError
        If the loss is not finite.
    StorageError
        If a file cannot be written; the run can be resumed.
    """
    with joined() as processes:
        if not processes.first(lambda: _is_finished(config)):
            _train(config, given, processes)
        processes.wait()
        return _result(RunFolder(config.out))


def _is_finished(config: TrainConfig) -> bool:
    """Check the run folder; complete a run that is finished already, and return whether it is."""
    files = data_files(config)
    check_run(config, files)
    begun = run_to_resume(config)
    if begun is None or not begun.is_finished():
        return False
    logger.info("%s is already finished", config.out)
    finish(config, files)
    return True


def _train(config: TrainConfig, given: Names, processes: Processes) -> None:
    started = time.monotonic()
    files = data_files(config)
    check_names(config)
    chosen = given | changed_options(config)
    if config.task != AUTO:
        check_options(config, find_task(config.task), given=given)
    request = Request(*read_request(config), files=tuple(files), given=given, chosen=chosen)
    check_options(request.config, request.task, tables=request.tables, given=given)
    # torch and all that stands on it: a refusal above should not wait for them
    from peftide.training.running import run_training

    run_training(request, started=started, processes=processes)


def finish(config: TrainConfig, files: list[Path]) -> None:
    """Complete a finished run that was killed: tidy up, and write its report."""
    complete(config, files)
    if not RunFolder(config.out).report.is_file():
        write_report_if_possible(config.out, title=config.title)


def _result(folder: RunFolder) -> TrainResult:
    from peftide.report.read import read_scores

    return TrainResult(folder.path, read_scores(folder), read_record(folder.record))
