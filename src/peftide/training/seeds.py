"""`--seeds N`: several heads on the same frozen vectors; their mean is the prediction.

Each head trains as a run with its own `--seed` would: same start, same batches, same dropout. The
proteins are encoded once, and the vectors, baselines and intervals are shared.
"""

import logging
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from peftide.evaluation.tables import write_history
from peftide.heads import Ensemble
from peftide.metrics import metric_name
from peftide.run_folder import RunFolder
from peftide.training.loop import FitResult, fit
from peftide.training.parts import Fitting
from peftide.training.setting import Setting

logger = logging.getLogger(__name__)


def fit_seeds(setting: Setting, fitting: Fitting, folder: RunFolder) -> FitResult:
    """Train the heads one after the other; the model has all heads afterwards.

    Parameters
    ----------
    fitting
        The training of the first head.
    """
    ensemble, results = setting.model.head, []
    assert isinstance(ensemble, Ensemble)
    for number, head in enumerate(ensemble.members):
        seed = setting.config.seed + number
        logger.info("head %d of %d (seed %d)", number + 1, len(ensemble.members), seed)
        _restart(head, seed)
        setting.model.head = head
        results.append(
            fit(
                setting.model,
                replace(
                    fitting,
                    config=replace(fitting.config, seed=seed),
                    on_epoch=lambda _history: None,
                    checkpoints=folder.checkpoints / f"seed-{seed}",
                ),
            )
        )
    setting.model.head = ensemble
    history = [
        {"seed": setting.config.seed + number} | row
        for number, result in enumerate(results)
        for row in result.history
    ]
    write_history(history, folder.history)
    return FitResult(
        best_epoch=results[0].best_epoch,
        best_score=float(np.mean([result.best_score for result in results])),
        steps=sum(result.steps for result in results),
        seconds=sum(result.seconds for result in results),
        history=results[0].history,
    )


def _restart(head: nn.Module, seed: int) -> None:
    """Give a head the weights with which a run with this seed begins."""
    torch.manual_seed(seed)
    for module in head.modules():
        if isinstance(module, nn.Linear):
            module.reset_parameters()


def seed_scores(setting: Setting) -> dict[str, Any] | None:
    """Return the score of each head alone and of their mean on later parts; None for one head.

    The scores are before calibration, by the headline metric.
    """
    ensemble = setting.model.head
    if not isinstance(ensemble, Ensemble):
        return None
    seeds = [setting.config.seed + number for number in range(len(ensemble.members))]
    metric = setting.problem.task.outcome.headline
    parts = [part for part in setting.problem.targets if part != "train"]
    found = {}
    for part in parts:
        alone = []
        for head in ensemble.members:
            setting.model.head = head
            alone.append(setting.measure(part)[metric])
        setting.model.head = ensemble
        found[part] = {
            "each": alone,
            "mean": float(np.mean(alone)),
            "deviation": float(np.std(alone, ddof=1)),
            "together": setting.measure(part)[metric],
        }
    _say(metric, found)
    return {"seeds": seeds, "metric": metric, "parts": found}


def _say(metric: str, found: dict[str, Any]) -> None:
    for part, scores in found.items():
        logger.info(
            "%s %s of each head: %s (mean %.3f, standard deviation %.3f); of their mean: %.3f",
            part,
            metric_name(metric),
            ", ".join(f"{value:.3f}" for value in scores["each"]),
            scores["mean"],
            scores["deviation"],
            scores["together"],
        )
