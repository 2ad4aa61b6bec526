"""The options of a training → its plan: reading, measurement, sums and advice."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

from peftide.config import PlanConfig
from peftide.config.commands import as_training
from peftide.config.unread import NOTHING, Names
from peftide.files import free_bytes
from peftide.hardware import choose_hardware
from peftide.planning.advice import SAFETY, disk_advice, memory_advice
from peftide.planning.layer_choice import NOTE
from peftide.planning.measuring import Measurement, measure_training
from peftide.planning.plan import Plan
from peftide.planning.sizes import COPIES, Sizes
from peftide.planning.stand_in import StandIn, stand_in
from peftide.planning.tables import with_table
from peftide.run_folder import open_run
from peftide.sequences.training_tables import data_files
from peftide.tasks.request import read_request
from peftide.training.layers import AUTO
from peftide.training.options import check_options, chosen_head
from peftide.training.problem import read_problem, seen_by
from peftide.training.setting import Setting, build_encoder, trains_below_head
from peftide.training.usage import Seconds, machine_memory


def make_plan(request: PlanConfig, *, given: Names = NOTHING) -> Plan:
    """Return the cost of a training, measured in this process.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If `train` would refuse the same options.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory(prefix="peftide-plan-") as scratch:
        config, notes = with_table(as_training(request), Path(scratch))
        files = data_files(config)
        config, task, tables = read_request(config)
        check_options(config, task, tables=tables, given=given)
        if config.base_bits is not None:
            config = replace(config, base_bits=None)
            notes = (*notes, "--base-bits is not measured: the backbone is counted in 32 bits")
        if config.layer == AUTO:
            notes = (*notes, NOTE)
        if chosen_head(config) == "ridge":
            config = replace(config, head="linear", epochs=1)
            notes = (
                *notes,
                "--head ridge takes no steps: it is counted as one epoch of a linear head",
            )
        hardware = choose_hardware(config)
        problem, stands = read_problem(config, task, tables), stand_in(config, hardware.dtype)
        problem = seen_by(stands.backbone, problem, max_length=config.max_length)
        inside = replace(config, out=Path(scratch) / "run", resume=False, overwrite=False)
        with hardware.computing(), open_run(inside, files) as folder:
            encoder = build_encoder(
                *(config, problem, stands.backbone),
                hardware=hardware,
                folder=folder,
                layers_each=stands.layers_each(is_cut=config.method != "head")[1],
            )
            # includes loading the libraries, at about the same ratio of wall to CPU time
            spent = time.process_time()
            reading = Seconds(spent, spent * (time.perf_counter() - wall) / max(spent - cpu, 1e-9))
            setting = Setting(config, problem, encoder, None)
            store = (config.embedding_cache or config.out).absolute()
            unshared = replace(setting, config=replace(config, embedding_cache=None))
            measured = measure_training(unshared, stands, folder, store=store)
    return plan_of(setting, measured, stands, reading=reading, notes=(*notes, *stands.notes))


def plan_of(
    setting: Setting,
    measured: Measurement,
    stands: StandIn,
    *,
    reading: Seconds,
    notes: tuple[str, ...],
) -> Plan:
    """Return the plan computed from a measurement."""
    config, sizes, hardware = setting.config, measured.sizes, setting.hardware
    seconds = {"reading": reading, **measured.seconds}
    total = sum(seconds.values(), Seconds())
    repeated = seconds["training"] + seconds["validation"]
    seconds |= {"per_epoch": repeated * (1 / config.epochs), "total": total}
    memory = {name: round(size) for name, size in measured.memory.items()}
    memory["peak"] = max(memory.values())
    disk = disk_of(sizes, is_shared=config.embedding_cache is not None)
    memory_total, free = machine_memory(hardware.device)
    disk_free = free_bytes((config.embedding_cache or config.out).absolute())
    advice, fits = disk_advice(sizes), memory["peak"] <= SAFETY * free
    if not fits:
        budget = hardware.max_tokens
        advice += memory_advice(measured.sizes, config, stands.whole, max_tokens=budget, free=free)
    stored = "hidden states" if trains_below_head(setting.model) else "embeddings"
    dataset = setting.problem.dataset
    return Plan(
        request={
            **{name: getattr(config, name) for name in ("task", "method", "backbone", "epochs")},
            "rows": {part: len(examples) for part, examples in dataset.parts.items()},
            "proteins": len(dataset.proteins),
            "steps_per_epoch": measured.steps,
            "frozen_layers_once": stored if sizes.is_kept else "nothing",
        },
        machine=hardware.describe()
        | {
            "memory_bytes": memory_total,
            "memory_free_bytes": free,
            "disk_free_bytes": disk_free,
        },
        parameters=measured.parameters,
        seconds={name: round(value.wall, 1) for name, value in seconds.items()},
        cpu_seconds={name: round(value.cpu, 1) for name, value in seconds.items()},
        memory=memory,
        disk=disk,
        fits=fits and disk["peak"] <= disk_free,
        advice=tuple(advice),
        notes=notes,
    )


def disk_of(sizes: Sizes, *, is_shared: bool) -> dict[str, int]:
    """Return the sizes of written files, their peak, and the size that stays on disk.

    Parameters
    ----------
    is_shared
        Whether the stored output of frozen layers is kept after the run.
    """
    model = round(sizes.trained)
    cache = round(sizes.stored) if sizes.is_kept else 0
    points = 2 * (COPIES + 1) * model  # a new resume point is written before the old is removed
    files = {"cache": cache, "model": model, "resume points": points}
    return files | {"peak": sum(files.values()), "kept": model + (cache if is_shared else 0)}
