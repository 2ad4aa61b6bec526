"""The training loop: batches → optimizer steps → validation → the best epoch's weights."""

import logging
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from peftide.adapters import Steering
from peftide.errors import TrainingError
from peftide.model import ProteinModel
from peftide.parameters import copy_trained, restore_trained, trained_parameters
from peftide.progress import Meter, meter
from peftide.quantities import duration
from peftide.training.batches import Batches, choose_batches
from peftide.training.memory import add_fitting_gradients
from peftide.training.modes import set_training_mode
from peftide.training.optimizer import build_optimizer, build_schedule
from peftide.training.parts import Fitting
from peftide.training.resume import TrainingState, load_point, save_point
from peftide.types import IntArray

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitResult:
    """What training did.

    Attributes
    ----------
    best_epoch
        Epoch (from 1) whose weights the model now has.
    best_score
        Its validation score.
    steps
        Optimizer steps done.
    seconds
        Training and validation time, over all resumed pieces.
    history
        One row per epoch.
    """

    best_epoch: int
    best_score: float
    steps: int
    seconds: float
    history: list[dict[str, Any]]


def fit(model: ProteinModel, fitting: Fitting) -> FitResult:
    """Train until the validation score stops rising; leave the best weights in the model.

    Raises
    ------
    TrainingError
        If the loss, or the validation score of the first epoch, is not a finite number.
    """
    config = fitting.config
    batches = choose_batches(fitting)
    optimizer = build_optimizer(model, config, learning_rate=fitting.learning_rate)
    steps = sum(len(batches(epoch)) for epoch in range(config.epochs))
    steering = fitting.steer(steps) if fitting.steer else None
    state = load_point(fitting.checkpoints, model=model, optimizer=optimizer, steering=steering)
    schedule = build_schedule(optimizer, steps=steps, warmup_fraction=config.warmup_fraction)
    _catch_up(schedule, state.step)
    if state.step:
        logger.info("going on in epoch %d, after step %d of %d", state.epoch + 1, state.step, steps)
    run = _Run(
        model, fitting, optimizer=optimizer, schedule=schedule, state=state, steering=steering
    )
    while state.epoch < config.epochs and not _out_of_patience(state, config.patience):
        run.train_epoch(batches)
        run.end_epoch()
    restore_trained(model, state.best)
    return FitResult(
        state.best_epoch + 1, state.best_score, state.step, state.seconds, state.history
    )


def _catch_up(schedule: LambdaLR, steps: int) -> None:
    schedule.last_epoch = steps
    for group, base, factor in zip(
        schedule.optimizer.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True
    ):
        group["lr"] = base * factor(steps)


def _out_of_patience(state: TrainingState, patience: int) -> bool:
    return state.best_epoch >= 0 and state.epoch - state.best_epoch > patience


class _Run:
    """One training under way: model, optimizer and state move together."""

    def __init__(
        self,
        model: ProteinModel,
        fitting: Fitting,
        *,
        optimizer: AdamW,
        schedule: LambdaLR,
        state: TrainingState,
        steering: Steering | None,
    ) -> None:
        self.model, self.fitting, self.state = model, fitting, state
        self.optimizer, self.schedule, self.steering = optimizer, schedule, steering
        self.clock = self.last_save = time.monotonic()

    def train_epoch(self, batches: Batches) -> None:
        """Train on the rest of an epoch's batches."""
        state = self.state
        left = batches(state.epoch)[state.batch :]
        set_training_mode(self.model)
        examples = sum(len(batch) for batch in left)
        with meter(f"epoch {state.epoch + 1}", total=examples, unit="examples") as progress:
            for batch in left:
                state.loss_sum += self.step(batch, progress)
                state.batch += 1
                if time.monotonic() - self.last_save >= 60 * self.fitting.config.checkpoint_minutes:
                    self.save()

    def step(self, batch: IntArray, progress: Meter) -> float:
        """Take one optimizer step and return the loss before it."""
        loss, self.fitting = add_fitting_gradients(
            self.model, self.fitting, batch, step=self.state.step, advance=progress.advance
        )
        if self.steering:
            self.steering.penalty().backward()
        self._require_finite(loss)
        self._update()
        return loss

    def _require_finite(self, loss: float) -> None:
        if not np.isfinite(loss):
            raise TrainingError(
                f"the loss became {loss} in epoch {self.state.epoch + 1}, "
                f"step {self.state.step + 1}. Lower --learning-rate and --head-learning-rate "
                "(a tenth is a good try) or use --precision fp32, and start again with --overwrite"
            )

    def _update(self) -> None:
        parameters = list(trained_parameters(self.model).values())
        torch.nn.utils.clip_grad_norm_(parameters, self.fitting.config.max_grad_norm)
        self.optimizer.step()
        self.schedule.step()
        if self.steering:
            self.steering.after_step(self.state.step)
        self.optimizer.zero_grad(set_to_none=True)
        self.state.step += 1

    def end_epoch(self) -> None:
        """Validate, keep the best weights, write history and a resume point."""
        state = self.state
        metrics = self.fitting.validate()
        headline = self.fitting.task.outcome.headline
        if metrics[headline] > state.best_score:
            state.best_score, state.best_epoch = metrics[headline], state.epoch
            state.best = copy_trained(self.model)
        if state.best_epoch < 0:
            raise TrainingError(
                f"the validation {headline} is {metrics[headline]} after epoch 1: are all labels "
                "of the validation part alike, or (too high a --learning-rate) all predictions?"
            )
        self._count_time()
        row = {"epoch": state.epoch + 1, "step": state.step, "seconds": round(state.seconds, 1)}
        row |= {"train_loss": state.loss_sum / state.batch} | metrics
        state.history.append(row)
        self._log(row, headline)
        state.epoch, state.batch, state.loss_sum = state.epoch + 1, 0, 0.0
        self.fitting.on_epoch(state.history)
        self.save()

    def _log(self, row: dict[str, Any], headline: str) -> None:
        logger.info(
            "epoch %d/%d: loss %.4f · validation %s %.4f%s · %s",
            row["epoch"],
            self.fitting.config.epochs,
            row["train_loss"],
            headline.replace("_", " "),
            row[headline],
            " (best)" if self.state.best_epoch == self.state.epoch else "",
            duration(self.state.seconds),
        )

    def _count_time(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self.clock
        self.clock = now

    def save(self) -> None:
        """Write a resume point."""
        self._count_time()
        save_point(
            self.fitting.checkpoints,
            self.state,
            model=self.model,
            optimizer=self.optimizer,
            steering=self.steering,
        )
        self.last_save = time.monotonic()
