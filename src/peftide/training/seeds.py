"""`--seeds N` and `--head mlp,dot`: several heads on frozen vectors; their mean is the prediction.

Each head trains as a run with its own `--seed` would: same start, same batches, same dropout. Only
rounding differs, because the steps of all heads of a form are one batched computation. The proteins
are encoded once, and the vectors, baselines and intervals are shared.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, zip_longest
from typing import Any

import numpy as np
import torch
from torch import nn

from peftide.distributed import LostProcessError
from peftide.engine.blocks import Batch
from peftide.evaluation.tables import write_history
from peftide.heads import Ensemble
from peftide.metrics import metric_name
from peftide.model import Parts, ProteinModel
from peftide.progress import meter
from peftide.run_folder import RunFolder
from peftide.training.gradients import own_examples, row_losses
from peftide.training.loop import FitResult, TrainingRun, begin
from peftide.training.modes import set_training_mode
from peftide.training.options import chosen_head
from peftide.training.parts import Fitting
from peftide.training.setting import Setting
from peftide.training.stack import Draws, HeadStack

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Names:
    """What tells the heads of an ensemble apart.

    Attributes
    ----------
    forms, seeds
        Form and seed of each head.
    """

    forms: tuple[str, ...]
    seeds: tuple[int, ...]

    @classmethod
    def of(cls, setting: Setting) -> "Names":
        """Return the names of all heads of a training, form after form."""
        config = setting.config
        own = range(config.seed, config.seed + config.seeds)
        pairs = [(form, seed) for form in chosen_head(config).split(",") for seed in own]
        return cls(tuple(form for form, _ in pairs), tuple(seed for _, seed in pairs))

    @property
    def are_mixed(self) -> bool:
        """Whether there are several forms."""
        return len(set(self.forms)) > 1

    def columns(self, number: int) -> dict[str, Any]:
        """Return the columns of `history.csv` that name a head."""
        form = {"head": self.forms[number]} if self.are_mixed else {}
        return form | {"seed": self.seeds[number]}

    def record(self) -> dict[str, Any]:
        """Return the entries of `run.json` that name the heads."""
        forms = {"heads": list(self.forms)} if self.are_mixed else {}
        return forms | {"seeds": list(self.seeds)}

    def folder(self, number: int) -> str:
        """Return the name of the folder with the resume points of a head."""
        form = f"{self.forms[number]}-" if self.are_mixed else ""
        return f"{form}seed-{self.seeds[number]}"

    def said(self, number: int) -> str:
        """Return the name of a head in the log."""
        form = f"{self.forms[number]} " if self.are_mixed else ""
        return f"{form}head of seed {self.seeds[number]}"


EMPTY = Batch(np.zeros(0, dtype=np.int64))


def fit_seeds(setting: Setting, fitting: Fitting, folder: RunFolder) -> FitResult:
    """Train the heads together, each with its own batches; the model has all heads afterwards.

    Every head stops by its own validation scores, and has its own resume points.

    Parameters
    ----------
    fitting
        The training of the first head.
    """
    ensemble = setting.model.head
    assert isinstance(ensemble, Ensemble)
    runs = [
        _begin(setting, fitting, head, number=number, folder=folder)
        for number, head in enumerate(ensemble.members)
    ]
    seeds = ", ".join(str(run.fitting.config.seed) for run in runs)
    logger.info("%d heads train together (seeds %s)", len(runs), seeds)
    try:
        while active := [run for run in runs if not run.is_over()]:
            for _, alike in groupby(active, key=lambda run: str(run.model.head)):
                _train_epoch(setting, list(alike))
            for run in active:
                run.end_epoch()
            _say_epoch(active)
    except (KeyboardInterrupt, LostProcessError):
        for run in runs:
            run.save()
        raise
    results = [run.finish() for run in runs]
    setting.model.head = ensemble
    for parameter in ensemble.parameters():  # no longer a view of a tensor of all heads
        parameter.data = parameter.data.clone()
    names = Names.of(setting)
    _say_results(names, results)
    history = [
        names.columns(number) | row
        for number, result in enumerate(results)
        for row in result.history
    ]
    if setting.hardware.processes.is_first:
        write_history(history, folder.history)
    return FitResult(
        best_epoch=results[0].best_epoch,
        best_score=float(np.mean([result.best_score for result in results])),
        steps=sum(result.steps for result in results),
        seconds=max(result.seconds for result in results),
        history=results[0].history,
    )


def _begin(
    setting: Setting, fitting: Fitting, head: nn.Module, *, number: int, folder: RunFolder
) -> TrainingRun:
    """Return the training of one head, as a run with its seed would begin it."""
    names = Names.of(setting)
    seed = names.seeds[number]
    _restart(head, seed)
    model = _with_head(setting.model, head)

    def validate() -> dict[str, float]:
        setting.model.head = head
        return fitting.validate()

    own = replace(
        fitting,
        config=replace(fitting.config, seed=seed),
        validate=validate,
        on_epoch=lambda _history: None,
        checkpoints=folder.checkpoints / names.folder(number),
        says_epochs=False,
    )
    return begin(model, own)


def _with_head(model: ProteinModel, head: nn.Module) -> ProteinModel:
    """Return the model with another head; the other parts are shared."""
    parts = Parts(model.backbone, model.pooling, model.scaling, model.pairing, head)
    return ProteinModel(parts)


def _train_epoch(setting: Setting, runs: Sequence[TrainingRun]) -> None:
    """Train each head on the batches that its epoch has left."""
    model = setting.model
    draws = Draws(
        [run.fitting.config.seed for run in runs],
        setting.hardware.device,
        process_rank=setting.hardware.processes.process_rank,
    )
    stack = HeadStack([run.model.head for run in runs], draws)
    left = [run.left() for run in runs]
    total = max(sum(map(len, batches)) for batches in left)
    state, epochs = runs[0].state, setting.config.epochs
    beside = runs[0].time_left() if state.history else ""
    title = f"epoch {state.epoch + 1}/{epochs}, {len(runs)} heads"
    model.head = stack
    set_training_mode(model)
    with meter(title, total=total, unit="examples", beside=beside) as progress:
        for batches in zip_longest(*left, fillvalue=EMPTY):
            steps = [*zip(runs, batches, strict=True)]
            losses = add_stacked_gradients(model, stack, steps)
            for (run, batch), loss in zip(steps, losses, strict=True):
                _take(run, loss, batch)
            progress.advance(max(map(len, batches)))


def _take(run: TrainingRun, loss: float, batch: Batch) -> None:
    """Take the step of a head, unless its epoch had no batch left."""
    if len(batch):
        run.take(loss, batch)


def add_stacked_gradients(
    model: ProteinModel,
    stack: HeadStack,
    steps: Sequence[tuple[TrainingRun, Batch]],
) -> list[float]:
    """Add to each head the gradients of the mean loss of its batch; return the losses.

    Parameters
    ----------
    model
        The model with the stack as its head.
    steps
        Each head's training and batch, which is empty if its epoch has no batch left.
    """
    fitting = steps[0][0].fitting
    part = fitting.part
    totals = [max(1.0, part.counted_rows(batch.examples)) for _, batch in steps]
    batches = [own_examples(fitting, batch.examples) for _, batch in steps]
    examples = np.concatenate(batches)
    if not len(examples):
        return [0.0 for _ in steps]
    sizes = [len(part.targets.rows(batch)) for batch in batches]
    stack.draws.begin([run.state.step for run, _ in steps], sizes)
    proteins = np.unique(part.members[examples])
    rows = fitting.source.rows(proteins)
    losses = row_losses(model, fitting, examples, proteins=proteins, rows=rows)
    means = torch.stack(
        [own.sum() / total for own, total in zip(losses.split(sizes), totals, strict=True)]
    )
    means.sum().backward()
    stack.share_gradients()
    return means.tolist()


def _say_epoch(runs: Sequence[TrainingRun]) -> None:
    state = runs[0].state
    headline = runs[0].fitting.task.outcome.headline
    scores = " ".join(f"{run.state.history[-1][headline]:.4f}" for run in runs)
    logger.info("epoch %d: validation %s", state.epoch, scores)


def _say_results(names: Names, results: Sequence[FitResult]) -> None:
    for number, result in enumerate(results):
        logger.info(
            "%s: validation %.4f, epoch %d of %d",
            names.said(number),
            result.best_score,
            result.best_epoch,
            len(result.history),
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
    names = Names.of(setting)
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
    return names.record() | {"metric": metric, "parts": found}


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
