"""`peftide train`: tables in; an adapted model, its scores and its predictions out."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peftide.auditing import audit_training
from peftide.config import TrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.files import remove, write_json
from peftide.hardware import choose_hardware, reset_peak_memory
from peftide.model import count_parameters
from peftide.outputs import read_record
from peftide.report import write_report_if_possible
from peftide.run_folder import RunFolder, can_resume, check_run, open_run
from peftide.sequences.training_tables import data_files, read_training_tables
from peftide.tasks.detecting import AUTO, with_task
from peftide.training.fitting import run_fit
from peftide.training.options import check_options
from peftide.training.problem import find_task
from peftide.training.results import cost_record, save, score
from peftide.training.setting import build_setting, find_adapter, prepare

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
    metrics: dict[str, Any]
    record: dict[str, Any]


def train(config: TrainConfig, *, given: Names = NOTHING) -> TrainResult:
    """Train an adapted model, score it, and save it with its predictions.

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
    started = time.monotonic()
    files = data_files(config)
    adapter = find_adapter(config.method)
    check_run(config, files)
    if can_resume(config) and RunFolder(config.out).is_finished():
        logger.info("%s is already finished", config.out)
        return _result(RunFolder(config.out))
    level = None if config.task == AUTO else find_task(config.task).level
    tables = read_training_tables(config, level)
    config = with_task(config, tables)
    task = find_task(config.task)
    check_options(config, task, given=given)
    hardware = choose_hardware(config)
    with hardware.computing():
        memory_before = reset_peak_memory(hardware.device)
        problem, backbone = prepare(config, task, tables)
        with open_run(config, files) as folder:
            setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
            parameters = count_parameters(setting.model)
            fitted = run_fit(setting, adapter, folder)
            predictor, _ = score(setting, folder)
            save(setting, predictor, folder)
            record = read_record(folder.record) | cost_record(setting, fitted, started)
            record |= {"parameters": parameters, "memory_before_bytes": memory_before}
            write_json(folder.record, record | {"status": "finished"})
            remove(folder.checkpoints)
            pairs = task.level == "pair"
            audit = audit_training(problem.dataset, pairs=pairs, max_length=config.max_length)
            write_json(folder.audit, audit.record())
            write_report_if_possible(folder.path)
            return _result(folder)


def _result(folder: RunFolder) -> TrainResult:
    return TrainResult(folder.path, read_record(folder.metrics), read_record(folder.record))
