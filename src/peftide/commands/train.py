"""`peftide train`: tables in; an adapted model, its scores and predictions out."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from peftide.adapters import Adapter
from peftide.bundle import Bundle, save_bundle
from peftide.commands.reporting import report_training
from peftide.config import TrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.evaluation.scores import Scored, score
from peftide.evaluation.tables import write_history
from peftide.files import remove, write_json
from peftide.hardware import choose_hardware, peak_memory_bytes, reset_peak_memory
from peftide.model import count_parameters
from peftide.outputs import read_record
from peftide.run_folder import RunFolder, check_run, open_run
from peftide.sequences import sequence_hash
from peftide.sequences.findings import plain_findings
from peftide.sequences.training_tables import data_files
from peftide.tasks.detecting import with_task
from peftide.training import (
    FitResult,
    Fitting,
    LabelledPart,
    RowSource,
    answer_rows,
    cached_rows,
    encoded_rows,
    fit,
)
from peftide.training.options import check_options
from peftide.training.setting import (
    Setting,
    build_setting,
    find_adapter,
    find_task,
    prepare,
    recipe_of,
)
from peftide.types import FloatArray

logger = logging.getLogger(__name__)

PROBE_EXAMPLES = 4


@dataclass(frozen=True)
class TrainResult:
    """What a training left behind.

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
        If anything about the request or the data is wrong; nothing is written then.
    TrainingError
        If the loss is not finite.
    StorageError
        If a file cannot be written; the run can be resumed.
    """
    started = time.monotonic()
    files = data_files(config)
    adapter = find_adapter(config.method)
    config = with_task(config)
    task = find_task(config.task)
    check_options(config, task, given=given)
    check_run(config, files)
    hardware = choose_hardware(config)
    memory_before = reset_peak_memory(hardware.device)
    problem, backbone = prepare(config, task)
    with open_run(config, files) as folder:
        if folder.is_finished():
            logger.info("%s is finished already", folder.path)
            return TrainResult(folder.path, read_record(folder.metrics), read_record(folder.record))
        setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
        parameters = count_parameters(setting.model)
        result = run_fit(setting, adapter, folder)
        scored = score(setting, folder)
        save(setting, folder, scored)
        record = read_record(folder.record) | {
            "parameters": parameters,
            "memory_before_bytes": memory_before,
        }
        record |= cost_record(setting, result, started)
        write_json(folder.metrics, scored.metrics)
        write_json(folder.record, record | {"status": "finished"})
        remove(folder.checkpoints)
        report_training(
            setting.problem,
            folder,
            max_length=config.max_length,
            similarity=scored.beside.similarity,
        )
        return TrainResult(folder.path, read_record(folder.metrics), read_record(folder.record))


def run_fit(setting: Setting, adapter: Adapter, folder: RunFolder) -> FitResult:
    """Train; the model has the best epoch's weights afterwards."""
    config = setting.config
    counts = count_parameters(setting.model)
    logger.info(
        "training %s: %s of %s parameters, on %s",
        config.method,
        f"{counts['trained']:,}",
        f"{counts['total']:,}",
        setting.hardware.device,
    )
    result = fit(setting.model, build_fitting(setting, adapter, folder))
    adapter.finish(setting.model.backbone)
    return result


def build_fitting(setting: Setting, adapter: Adapter, folder: RunFolder) -> Fitting:
    """Return all that the training loop needs besides the model."""
    config, problem = setting.config, setting.problem
    rate = adapter.learning_rate if config.learning_rate is None else config.learning_rate
    steer = adapter.steer
    return Fitting(
        config=config,
        task=problem.task,
        labels=problem.labels,
        part=LabelledPart(problem.dataset.parts["train"].members, problem.targets["train"]),
        source=row_source(setting),
        hardware=setting.hardware,
        learning_rate=rate,
        validate=_validator(setting),
        on_epoch=lambda history: write_history(history, folder.history),
        checkpoints=folder.checkpoints,
        steer=partial(steer, setting.model.backbone) if steer else None,
    )


def row_source(setting: Setting) -> RowSource:
    """Return where training takes the rows of proteins from."""
    if setting.embeddings is not None:
        return cached_rows(setting.embeddings, setting.hardware.device)
    return encoded_rows(setting.encoder, setting.problem.dataset.proteins.sequences)


def _validator(setting: Setting) -> Callable[[], dict[str, float]]:
    def validate() -> dict[str, float]:
        metrics = setting.measure("validation")
        return {name: value for name, value in metrics.items() if isinstance(value, float)}

    return validate


def save(setting: Setting, folder: RunFolder, scored: Scored) -> None:
    """Save the model bundle, verified."""
    config, problem = setting.config, setting.problem
    train = np.unique(problem.dataset.parts["train"].members)
    sequences = problem.dataset.proteins.sequences
    bundle = Bundle(
        recipe=recipe_of(config),
        model=setting.model,
        labels=problem.labels,
        threshold=scored.threshold,
        calibration=scored.calibration,
        conformal=scored.conformal,
        trained_on=frozenset(sequence_hash(sequences[index]) for index in train),
    )
    save_bundle(bundle, folder.model, probe=_probe(setting))


def _probe(setting: Setting) -> Callable[[], FloatArray]:
    """Return a function that gives the logits of a few validation examples, encoded afresh."""
    dataset = setting.problem.dataset
    members = dataset.parts["validation"].members[:PROBE_EXAMPLES]
    used, local = np.unique(members, return_inverse=True)
    sequences = [dataset.proteins.sequences[index] for index in used]

    def probe() -> FloatArray:
        embeddings = setting.encoder.embed(sequences)
        local_members = local.reshape(members.shape)
        return answer_rows(setting.model, embeddings, local_members, device=setting.hardware.device)

    return probe


def cost_record(setting: Setting, result: FitResult, started: float) -> dict[str, Any]:
    """Return what the run cost and what was counted."""
    train = setting.problem.dataset.parts["train"]
    residues = setting.encoder.residues(
        [setting.problem.dataset.proteins.sequences[p] for p in train.members.ravel()]
    )
    return {
        "backbone": setting.config.backbone,
        "weights_sha256": setting.model.backbone.origin.weights_sha256,
        "hardware": setting.hardware.describe(),
        "examples": {
            part: {"rows": len(examples), "counted": int(examples.counted.sum())}
            for part, examples in setting.problem.dataset.parts.items()
        },
        "proteins": len(setting.problem.dataset.proteins),
        "findings": plain_findings(setting.problem.dataset.findings),
        "best_epoch": result.best_epoch,
        "epochs": len(result.history),
        "steps": result.steps,
        "seconds": {
            "training": round(result.seconds, 1),
            "this_process": round(time.monotonic() - started, 1),
        },
        "training_residues_per_second": round(
            float(residues.sum()) * len(result.history) / max(result.seconds, 1e-9)
        ),
        "peak_memory_bytes": peak_memory_bytes(setting.hardware.device),
    }
