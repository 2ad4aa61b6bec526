"""The options of a training → its plan: read, measure, forecast, advise."""

import csv
import tempfile
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from peftide.config import PlanConfig, TrainConfig
from peftide.config.unread import NOTHING, Names
from peftide.errors import InputError
from peftide.files import free_bytes
from peftide.hardware import Hardware, choose_hardware
from peftide.planning.advice import SAFETY, disk_advice, memory_advice
from peftide.planning.cost import Seconds
from peftide.planning.forecast import forecast_disk, forecast_memory, forecast_seconds
from peftide.planning.measuring import Measurement, measure_training
from peftide.planning.plan import Plan
from peftide.planning.stand_in import stand_in
from peftide.planning.usage import machine_memory
from peftide.run_folder import open_run
from peftide.sequences import read_fasta
from peftide.sequences.training_tables import (
    TRAINING_TABLES,
    data_files,
    read_training_tables,
)
from peftide.tasks.detecting import AUTO, with_task
from peftide.training.options import check_options
from peftide.training.setting import Problem, find_adapter, find_task, read_problem, seen_by

WITHOUT_TABLE = ("regression", "binary")
"""Tasks that can be planned for from sequences alone: any number can stand for a label."""


def make_plan(request: PlanConfig, *, given: Names = NOTHING) -> Plan:
    """Return what a training would need, by measuring in this process.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        For whatever `train` would refuse.
    """
    started, cpu_started = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="peftide-plan-") as scratch:
        config, notes = with_table(as_training(request), Path(scratch))
        files = data_files(config)
        level = None if config.task == AUTO else find_task(config.task).level
        tables = read_training_tables(config, level)
        config = with_task(config, tables)
        task = find_task(config.task)
        find_adapter(config.method)
        check_options(config, task, given=given)
        if config.base_bits is not None:
            config = replace(config, base_bits=None)
            notes = (*notes, "--base-bits is not measured: the backbone is counted in 32 bits")
        hardware = choose_hardware(config)
        problem, stands = read_problem(config, task, tables), stand_in(config)
        problem = seen_by(stands.backbone, problem, max_length=config.max_length)
        inside = replace(config, out=Path(scratch) / "run", resume=False, overwrite=False)
        with open_run(inside, files) as folder:
            cpu = time.process_time()  # with the libraries that were loaded before this began
            wall = cpu * (time.perf_counter() - started) / max(cpu - cpu_started, 1e-9)
            measured = measure_training(config, problem, stands, hardware=hardware, folder=folder)
    return plan_of(
        config,
        problem,
        measured,
        reading=Seconds(cpu, wall),
        notes=(*notes, *stands.notes),
    )


def as_training(request: PlanConfig) -> TrainConfig:
    """Return the training that is planned."""
    return TrainConfig(**{item.name: getattr(request, item.name) for item in fields(TrainConfig)})


def with_table(config: TrainConfig, scratch: Path) -> tuple[TrainConfig, tuple[str, ...]]:
    """Return the training with a table: its own, or one of all sequences with made-up labels.

    Raises
    ------
    InputError
        If there is no table, and the task needs one.
    """
    if config.data is not None or config.train is not None:
        return config, ()
    task = WITHOUT_TABLE[0] if config.task == AUTO else config.task
    if config.sequences is None or task not in WITHOUT_TABLE:
        raise InputError("no training table", expected=TRAINING_TABLES)
    if not config.sequences.is_file():
        raise InputError(f"{config.sequences}: no such file", where="--sequences")
    proteins, _ = read_fasta(config.sequences)
    path = scratch / "labels.tsv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, delimiter="\t")
        writer.writerow([config.id_column, config.label_column])
        writer.writerows((name, number % 2) for number, name in enumerate(proteins.ids))
    said = (
        f"no table was given: every sequence of {config.sequences} counts as one example of "
        f"{task}, a tenth of them as validation"
    )
    return replace(config, task=task, train=path), (said,)


def plan_of(
    config: TrainConfig,
    problem: Problem,
    measured: Measurement,
    *,
    reading: Seconds,
    notes: tuple[str, ...],
) -> Plan:
    """Return the plan that follows from a measurement."""
    seconds = forecast_seconds(measured, epochs=config.epochs, reading=reading)
    memory = forecast_memory(measured)
    disk = forecast_disk(measured, shared_cache=config.embedding_cache is not None)
    hardware = measured.hardware
    machine = machine_of(config, hardware)
    free = machine["memory_free_bytes"]
    fits_memory = memory["peak"] <= SAFETY * free
    fits_disk = disk["peak"] <= machine["disk_free_bytes"]
    advice = disk_advice(measured)
    if not fits_memory:
        advice += memory_advice(measured, config, max_tokens=hardware.max_tokens, free=free)
    return Plan(
        request=request_of(config, problem, measured),
        machine=machine,
        parameters=measured.parameters,
        seconds={name: round(value.wall, 1) for name, value in seconds.items()},
        cpu_seconds={name: round(value.cpu, 1) for name, value in seconds.items()},
        memory=memory,
        disk=disk,
        fits=fits_memory and fits_disk,
        advice=tuple(advice),
        notes=notes,
    )


def request_of(config: TrainConfig, problem: Problem, measured: Measurement) -> dict[str, Any]:
    """Return what was planned for."""
    parts = problem.dataset.parts
    return {
        "task": config.task,
        "method": config.method,
        "backbone": config.backbone,
        "rows": {part: len(examples) for part, examples in parts.items()},
        "proteins": len(problem.dataset.proteins),
        "epochs": config.epochs,
        "steps_per_epoch": measured.epoch.steps,
        "frozen_layers_once": measured.storage.kind if measured.storage.is_kept else "nothing",
    }


def machine_of(config: TrainConfig, hardware: Hardware) -> dict[str, Any]:
    """Return what this machine has."""
    total, free = machine_memory(hardware.device)
    return hardware.describe() | {
        "memory_bytes": total,
        "memory_free_bytes": free,
        "disk_free_bytes": free_bytes((config.embedding_cache or config.out).absolute()),
    }
