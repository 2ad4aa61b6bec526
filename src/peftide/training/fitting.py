"""A setting → everything that the training loop needs besides the model."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from peftide.adapters.adapter import Adapter
from peftide.evaluation.tables import write_history
from peftide.heads import Ensemble
from peftide.metrics import metric_name
from peftide.model import count_parameters
from peftide.parameters import trained_parameters
from peftide.run_folder import RunFolder
from peftide.training.loop import FitResult, fit
from peftide.training.parts import Fitting, LabelledPart, RowSource, cached_rows, encoded_rows
from peftide.training.seeds import fit_seeds
from peftide.training.setting import Setting
from peftide.variants.head import VariantHead

logger = logging.getLogger(__name__)

OnEpoch = Callable[[list[dict[str, Any]]], None]


def run_fit(
    setting: Setting, adapter: Adapter, folder: RunFolder, *, on_epoch: OnEpoch | None = None
) -> FitResult:
    """Train; the model has the best epoch's weights afterwards.

    Parameters
    ----------
    on_epoch
        Called after each epoch with the history so far; it may raise to end the training.
    """
    if not trained_parameters(setting.model):
        return closed_form(setting, folder)
    counts = count_parameters(setting.model)
    logger.info(
        "training %s: %s of %s parameters, on %s",
        setting.config.method,
        f"{counts['trained']:,}",
        f"{counts['total']:,}",
        setting.hardware.device,
    )
    fitting = build_fitting(setting, adapter, folder)
    if on_epoch is not None:
        fitting = replace(fitting, on_epoch=partial(_both, fitting.on_epoch, on_epoch))
    if isinstance(setting.model.head, Ensemble):
        result = fit_seeds(setting, fitting, folder)
    else:
        result = fit(setting.model, fitting)
    adapter.finish(setting.model.backbone)
    return result


def _both(first: OnEpoch, then: OnEpoch, history: list[dict[str, Any]]) -> None:
    first(history)
    then(history)


def closed_form(setting: Setting, folder: RunFolder) -> FitResult:
    """Return the result of a training without steps: its head was fitted in closed form."""
    metrics = validator(setting)()
    row = {"epoch": 1, "step": 0, "seconds": 0.0} | metrics
    write_history([row], folder.history)
    headline = setting.problem.task.outcome.headline
    logger.info(
        "validation %s %.4f (ridge regression is solved in one step: there are no epochs)",
        metric_name(headline),
        metrics[headline],
    )
    return FitResult(1, metrics[headline], 0, 0.0, [row])


def build_fitting(setting: Setting, adapter: Adapter, folder: RunFolder) -> Fitting:
    """Return everything that the training loop needs besides the model."""
    config, problem = setting.config, setting.problem
    rate = config.learning_rate
    if rate is None:
        rate = adapter.learning_rate * setting.model.backbone.learning_rate_factor
    steer = adapter.steer
    return Fitting(
        config=config,
        task=problem.task,
        labels=problem.labels,
        part=LabelledPart(problem.dataset.parts["train"].members, problem.targets["train"]),
        source=row_source(setting),
        hardware=setting.hardware,
        learning_rate=rate,
        validate=validator(setting),
        on_epoch=lambda history: write_history(history, folder.history),
        checkpoints=folder.checkpoints,
        steer=partial(steer, setting.model.backbone) if steer else None,
        keeps_start=isinstance(setting.model.head, VariantHead),
    )


def row_source(setting: Setting) -> RowSource:
    """Return where training takes the rows of proteins from."""
    if setting.embeddings is not None:
        return cached_rows(setting.embeddings, setting.hardware.device)
    return encoded_rows(setting.encoder, setting.problem.dataset.proteins.sequences)


def validator(setting: Setting) -> Callable[[], dict[str, float]]:
    """Return a function that scores the current model on validation."""

    def validate() -> dict[str, float]:
        metrics = setting.measure("validation")
        return {name: value for name, value in metrics.items() if isinstance(value, float)}

    return validate
