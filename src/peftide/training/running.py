"""A request for a training → a finished run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from peftide.auditing import audit_training
from peftide.backbones import Backbone
from peftide.backbones.half import hold_half
from peftide.backbones.int8_products import check_int8
from peftide.backbones.loading import LARGE
from peftide.backbones.sharding import shard_layers
from peftide.distributed import ALONE, Processes
from peftide.files import write_json
from peftide.hardware import (
    choose_run_hardware,
    release_memory,
    remember_hardware,
    reset_peak_memory,
)
from peftide.model import count_parameters
from peftide.outputs import read_record
from peftide.process import return_large_blocks, reuse_freed_memory
from peftide.report import write_report_if_possible
from peftide.run_decisions import decided
from peftide.run_folder import open_run
from peftide.tasks.request import Request
from peftide.training.assisting import Begun, assist, shared_facts
from peftide.training.fitting import OnEpoch, run_fit
from peftide.training.layers import AUTO, DECISION, choose_layer, settled_layer
from peftide.training.results import cost_record, save, score
from peftide.training.seeds import seed_scores
from peftide.training.setting import adapted_backbone, build_setting, find_adapter, prepare


def run_training(
    request: Request,
    *,
    started: float,
    on_epoch: OnEpoch | None = None,
    processes: Processes = ALONE,
) -> None:
    """Train, score and save; or go on with the run in `--out`.

    Of several processes, the first does all but its share of the optimizer steps alone.

    Parameters
    ----------
    started
        Time of `time.monotonic()` at which the command began.
    on_epoch
        Called after each epoch with the history so far; it may raise to end the training.
    processes
        The processes that share the training.
    """
    config, task = settled_layer(request.config), request.task
    adapter = find_adapter(config.method)
    hardware = choose_run_hardware(config, processes)
    with hardware.computing():
        memory_before = reset_peak_memory(hardware.device)
        problem, backbone = prepare(config, task, request.tables, dtype=hardware.dtype)
        if hardware.precision == "int8":
            check_int8(backbone)  # before a folder is made
        if processes.count > 1:
            processes.require_same(shared_facts(config, problem, backbone, hardware=hardware))
        if config.shard_backbone:
            hold_half(backbone, hardware.dtype)
            shard_layers(backbone, hardware)
        _give_back(backbone)
        if not processes.is_first:
            assist(config, problem, backbone, hardware=hardware)
            return
        with open_run(request.config, list(request.files), chosen=request.chosen) as folder:
            remember_hardware(folder, hardware)
            if config.layer == AUTO:
                choose = partial(choose_layer, hardware=hardware, folder=folder)
                found = decided(folder, DECISION, lambda: choose(config, problem, backbone))
                config = replace(config, layer=found["chosen"])
                write_json(folder.record, read_record(folder.record) | {"layers": found})
                backbone = adapted_backbone(config, hardware.dtype)
            setting = build_setting(config, problem, backbone, hardware=hardware, folder=folder)
            processes.first(lambda: Begun.of(setting, folder))
            parameters = count_parameters(setting.model)
            _give_back(backbone)
            with _little_memory(backbone, steps_encode=setting.embeddings is None):
                fitted = run_fit(setting, adapter, folder, on_epoch=on_epoch)
            _give_back(backbone)
            seeds = seed_scores(setting)
            predictor, results = score(setting, folder)
            save(setting, predictor, folder)
            pairs = task.level == "pair"
            audit = audit_training(
                problem.dataset,
                pairs=pairs,
                max_length=config.max_length,
                kinship=results.beside.kinship,
            )
            write_json(folder.audit, audit.record())
            record = read_record(folder.record) | cost_record(setting, fitted, started)
            record |= {"parameters": parameters, "memory_before_bytes": memory_before}
            record |= {} if seeds is None else {"seeds": seeds}
            write_json(folder.record, record | {"status": "finished"})
    write_report_if_possible(config.out, title=config.title)


@contextmanager
def _little_memory(backbone: Backbone, *, steps_encode: bool) -> Iterator[None]:
    """Spare memory rather than time during the steps of a large model."""
    if not steps_encode or not _is_large(backbone):
        yield
        return
    return_large_blocks()
    try:
        yield
    finally:
        reuse_freed_memory()


def _give_back(backbone: Backbone) -> None:
    """Return free memory to the system between two phases, if it is much: it takes a while."""
    if _is_large(backbone):
        release_memory()


def _is_large(backbone: Backbone) -> bool:
    return sum(tensor.numel() for tensor in backbone.parameters()) > LARGE
