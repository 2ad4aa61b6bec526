"""`--layer auto`: the vectors of every layer, a head on each, the layer that validation prefers.

::

    proteins ─> one pass ─> vectors of layer 0, 1, … ─> a head each ─> validation scores ─> layer

The backbone stays frozen here. The method of the run then trains on the backbone cut there.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from peftide.adapters import ADAPTERS
from peftide.backbones import Backbone, layers_of
from peftide.bundle import build_model
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.evaluation.part_scores import MODEL, Answers, Resampling, score_rows
from peftide.hardware import Hardware
from peftide.metrics import metric_name
from peftide.outputs import read_record
from peftide.run_folder import RunFolder, run_to_resume
from peftide.tasks import Targets
from peftide.training.fitting import build_fitting
from peftide.training.loop import fit
from peftide.training.options import MIXED
from peftide.training.problem import Problem
from peftide.training.setting import Setting, fit_scaling, recipe_of, repeated_proteins
from peftide.types import FloatArray, IntArray

logger = logging.getLogger(__name__)

AUTO = "auto"
MOST_EXAMPLES = 20_000
"""Training examples of each head; more change the order of layers little."""
DECISION = "layer"
"""Key of the choice among the decisions of a run."""
BAR = 30


@dataclass(frozen=True)
class Layers:
    """The problem of a run, with the vectors of every layer.

    Attributes
    ----------
    rows
        One vector per protein (or residue) and layer. Shape (R, layers, D).
    offsets
        Rows of protein p are `offsets[p]:offsets[p + 1]`; proteins of later parts have none.
    """

    config: TrainConfig
    problem: Problem
    encoder: ModelEncoder
    rows: torch.Tensor
    offsets: IntArray


def settled_layer(config: TrainConfig) -> TrainConfig:
    """Return the options with the layer that a resumed run chose before, if it did."""
    folder = run_to_resume(config) if config.layer == AUTO else None
    decided = {} if folder is None else read_record(folder.record).get("decided", {})
    if DECISION not in decided:
        return config
    return replace(config, layer=decided[DECISION]["chosen"])


def choose_layer(
    config: TrainConfig,
    problem: Problem,
    backbone: Backbone,
    *,
    hardware: Hardware,
    folder: RunFolder,
) -> dict[str, Any]:
    """Return the layer whose head scores best on validation, with the scores of all layers.

    Returns
    -------
    `chosen`, `metric`, `scores` (one entry per layer with `value`, `low`, `high`), `plateau` (the
    layers that are not clearly worse than the chosen one), and `said`: the same in words.

    Raises
    ------
    InputError
        If the backbone has no layers.
    """
    layers_of(backbone, where="--layer", fix="Leave it out")
    head = "mlp" if config.head == MIXED else config.head
    config = replace(config, method="head", head=head, learning_rate=None, seeds=1)
    problem = sampled(problem, config.seed)
    found = _embedded(config, problem, backbone, hardware=hardware, folder=folder)
    count = found.rows.shape[1]
    logger.info("choosing a layer: a head on each of the %d layers, frozen", count)
    answers = {layer: answers_of(found, layer, folder) for layer in range(count)}
    choice = judged(problem, answers, seed=config.seed, threads=config.threads)
    say_choice(choice)
    return choice


def sampled(problem: Problem, seed: int) -> Problem:
    """Return the problem with at most `MOST_EXAMPLES` training examples that count."""
    targets = problem.targets["train"]
    examples = len(targets.offsets) - 1
    if examples <= MOST_EXAMPLES:
        return problem
    logger.info(
        "choosing a layer with %s of %s training examples", f"{MOST_EXAMPLES:,}", f"{examples:,}"
    )
    chosen = np.random.default_rng(seed).choice(examples, MOST_EXAMPLES, replace=False)
    kept = np.zeros_like(targets.counted)
    kept[targets.rows(np.sort(chosen))] = True
    fewer: Targets = replace(targets, counted=targets.counted & kept)
    return replace(problem, targets={**problem.targets, "train": fewer})


def _embedded(
    config: TrainConfig,
    problem: Problem,
    backbone: Backbone,
    *,
    hardware: Hardware,
    folder: RunFolder,
) -> Layers:
    """Embed the proteins of train and validation with all layers, in one pass."""
    model = build_model(recipe_of(config, problem), problem.labels, backbone).to(hardware.device)
    encoder = ModelEncoder(model, hardware, max_length=config.max_length, every_layer=True)
    named, proteins = repeated_proteins(problem.dataset), problem.dataset.proteins
    store = config.embedding_cache or folder.checkpoints / "layers"
    embeddings = encoder.embed(named.sequences, store=store, ids=named.ids)
    counts = dict(zip(named.ids, np.diff(embeddings.offsets).tolist(), strict=True))
    sizes = [counts.get(identifier, 0) for identifier in proteins.ids]
    return Layers(
        config,
        problem,
        encoder,
        embeddings.rows.unflatten(1, (-1, model.width)),
        np.concatenate([[0], np.cumsum(sizes)]),
    )


def answers_of(layers: Layers, layer: int, folder: RunFolder) -> FloatArray:
    """Return what a head on one layer answers for the validation part."""
    config, encoder = layers.config, layers.encoder
    torch.manual_seed(config.seed)
    recipe = recipe_of(config, layers.problem)
    model = build_model(recipe, layers.problem.labels, encoder.model.backbone)
    own = ModelEncoder(
        model.to(encoder.hardware.device), encoder.hardware, max_length=config.max_length
    )
    embeddings = Embeddings(layers.rows[:, layer].contiguous(), layers.offsets)
    setting = Setting(config, layers.problem, own, embeddings)
    fit_scaling(setting)
    fitting = build_fitting(setting, ADAPTERS["head"], folder)
    fit(
        model,
        replace(
            fitting,
            on_epoch=lambda _history: None,
            says_epochs=False,
            checkpoints=folder.checkpoints / f"layer-{layer}",
        ),
    )
    return setting.predictor().answering.answers(setting.logits("validation"))


def judged(
    problem: Problem, answers: Mapping[int, FloatArray], *, seed: int, threads: int | None
) -> dict[str, Any]:
    """Return the choice: the best score, and the layers that are not clearly worse."""
    part, metric = problem.part("validation"), problem.task.outcome.headline
    counted = {layer: Answers(found[part.targets.counted]) for layer, found in answers.items()}
    values = {
        layer: problem.task.outcome.metrics(
            part.targets.values[part.targets.counted],
            found.values,
            problem.labels,
            threshold=found.threshold or 0.0,
        )[metric]
        for layer, found in counted.items()
    }
    best = max(values, key=lambda layer: values[layer])
    everyone = {MODEL: counted[best]} | {str(k): v for k, v in counted.items() if k != best}
    scores = score_rows(part.rows(), everyone, resampling=Resampling(seed, threads))
    entries = {k: scores.entries[MODEL if k == best else str(k)][metric] for k in counted}
    leads = {k: scores.differences[str(k)][metric] for k in counted if k != best}
    plateau = [k for k in sorted(counted) if k == best or not _is_clear(leads[k])]
    shown = ("value", "low", "high")
    return {
        "chosen": best,
        "metric": metric,
        "part": "validation",
        "plateau": plateau,
        "said": said_choice(best, plateau),
        "scores": [
            {"layer": k} | {name: entries[k][name] for name in shown if name in entries[k]}
            for k in sorted(entries)
        ],
    }


def _is_clear(lead: Mapping[str, Any]) -> bool:
    """Return whether the interval of a lead excludes 0."""
    return lead.get("low") is not None and lead["low"] > 0


def say_choice(choice: Mapping[str, Any]) -> None:
    """Log the scores of all layers as a small curve, and the choice."""
    scores = choice["scores"]
    values = [entry["value"] for entry in scores]
    lowest, span = min(values), (max(values) - min(values)) or 1.0
    name = metric_name(choice["metric"])
    logger.info("layer  validation %s", name)
    for entry in scores:
        bar = "■" * (1 + round((BAR - 1) * (entry["value"] - lowest) / span))
        known = entry.get("low") is not None
        interval = f" [{entry['low']:.3f}, {entry['high']:.3f}]" if known else ""
        chosen = "  chosen" if entry["layer"] == choice["chosen"] else ""
        logger.info("%5d  %.3f%s %s%s", entry["layer"], entry["value"], interval, bar, chosen)
    logger.info("%s", choice["said"])


def said_choice(best: int, plateau: Sequence[int]) -> str:
    """Return a sentence about the best layer and the layers that are as good.

    Examples
    --------
    >>> said_choice(4, [3, 4, 5])
    'layer 4 is best; a plateau from 3 to 5: no clear difference from the best'
    >>> said_choice(2, [2])
    'layer 2 is clearly the best'
    """
    if list(plateau) == [best]:
        return f"layer {best} is clearly the best"
    if list(plateau) == list(range(plateau[0], plateau[-1] + 1)):
        where = f"a plateau from {plateau[0]} to {plateau[-1]}"
    else:
        where = f"the layers {', '.join(map(str, plateau))} are about equal"
    return f"layer {best} is best; {where}: no clear difference from the best"
