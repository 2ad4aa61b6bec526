"""A measurement → seconds, bytes and files of the whole training."""

import numpy as np

from peftide.planning.cost import Cost, Load, Seconds
from peftide.planning.measuring import Measurement

FREE = Cost(np.zeros(4), 1.0)
COPIES = 3
"""Of what trains, besides the model: two moments of the optimizer, and the best weights."""


def forecast_seconds(measured: Measurement, *, epochs: int, reading: Seconds) -> dict[str, Seconds]:
    """Return the time of each piece of work, of an epoch, and of all.

    Parameters
    ----------
    reading
        Time from the command to the first forward pass.
    """
    costs, once, epoch = measured.costs, measured.once, measured.epoch
    below = FREE if measured.storage.is_kept else costs.below
    stored = costs.below if measured.storage.kind == "hidden states" else costs.forward
    validation = _passes(once.validation, costs.forward, below) + costs.validation
    training = (
        _passes(epoch.graph, costs.graph, below)
        + _passes(epoch.first_pass, costs.forward, below)
        + costs.step.of(np.array([epoch.steps, epoch.examples], dtype=np.float64))
    )
    per_epoch = training + validation + costs.resume_point
    # proteins of the tests are in no storage
    tests = FREE if measured.storage.kind == "embeddings" else costs.below
    scoring = (
        _passes(once.scored, costs.forward, below)
        + (_passes(once.unstored, tests) if measured.storage.is_kept else Seconds())
        + costs.scoring
    )
    pieces = {
        "reading": reading,
        "frozen layers, once": stored.of(once.stored.values())
        if measured.storage.is_kept
        else Seconds(),
        "scaling": _passes(once.sample, costs.forward, below),
        "training": training * epochs,
        "validation": (validation + costs.resume_point) * epochs,
        "scoring": scoring,
        "saving": costs.saving,
    }
    return pieces | {"per_epoch": per_epoch, "total": sum(pieces.values(), Seconds())}


def _passes(load: Load, *costs: Cost) -> Seconds:
    return sum((cost.of(load.values()) for cost in costs), Seconds())


def forecast_memory(measured: Measurement) -> dict[str, int]:
    """Return the memory held at each stage of a training, and the peak."""
    sizes, row_bytes = measured.sizes, measured.once.row_bytes
    during = sizes.held + COPIES * sizes.trained
    encoding = sizes.held + sizes.forward + row_bytes
    stages = {
        "held throughout": sizes.held,
        "encoding": encoding,
        "training": during + sizes.graph,
        "validation": during + sizes.forward + row_bytes,
        "resume points": during + sizes.resume_point,
        # test is encoded first, and what that held the process keeps (`keep_freed_memory`)
        "scoring": encoding + sizes.scoring,
        "saving": sizes.held + sizes.saving,
    }
    rounded = {name: round(size) for name, size in stages.items()}
    return rounded | {"peak": max(rounded.values())}


def forecast_disk(measured: Measurement, *, shared_cache: bool) -> dict[str, int]:
    """Return what a training writes, what is there at a time, and what stays.

    Parameters
    ----------
    shared_cache
        Whether the cache is a folder that outlives the run.
    """
    storage, trained = measured.storage, measured.parameters["trained"] * 4
    cache = storage.size_bytes if storage.is_kept else 0
    model = trained
    # one is written before the last one is removed
    points = 2 * (COPIES + 1) * trained
    files = {"cache": cache, "model": model, "resume points": points}
    return files | {
        "peak": cache + model + points,
        "kept": model + (cache if shared_cache else 0),
    }
