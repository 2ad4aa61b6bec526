"""The training loop: batches → optimizer steps → validation → weights of the best epoch."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from peftide.adapters.adapter import Steering
from peftide.distributed import LostProcessError
from peftide.engine.blocks import Batch
from peftide.errors import NotFiniteError, TrainingError
from peftide.metrics import metric_name
from peftide.model import ProteinModel
from peftide.optimizer import LossScale, OptimizerStep, do_nothing
from peftide.parameters import copy_trained, restore_trained, trained_parameters
from peftide.process import undisturbed
from peftide.progress import meter
from peftide.quantities import count_of, duration
from peftide.training.batches import Batches, check_shares, choose_batches
from peftide.training.block_gradients import empty_bank
from peftide.training.divergence import SLOWER, are_finite, damaged_weights, diverged
from peftide.training.memory import add_fitting_gradients, filled_bank
from peftide.training.modes import set_training_mode
from peftide.training.optimizer import build_optimizer, rate_factor
from peftide.training.parts import Fitting
from peftide.training.resume import Stateful, TrainingState, load_point, save_point

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FitResult:
    """History and result of a training.

    Attributes
    ----------
    best_epoch
        Epoch (from 1) of the weights that the model now has; 0: those before training.
    best_score
        Validation score of that epoch.
    steps
        Number of optimizer steps.
    seconds
        Training and validation time, summed over all resumed calls.
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

    An interruption writes a resume point first.

    Raises
    ------
    TrainingError
        If the loss, or the validation score of the first epoch, is not a finite number.
    """
    run = begin(model, fitting)
    if fitting.says_epochs:
        name = metric_name(fitting.task.outcome.headline)
        logger.info("validation scores are the %s; the epoch with the highest one is kept", name)
    if fitting.keeps_start and not run.state.best:
        run.keep_start()
    try:
        while not run.is_over():
            run.train_epoch()
            run.end_epoch()
    except (KeyboardInterrupt, LostProcessError):
        run.save()
        raise
    if fitting.says_epochs:
        run.say_end()
    return run.finish()


def begin(model: ProteinModel, fitting: Fitting) -> "TrainingRun":
    """Return a training ready for its next step: the first one, or the one after a resume point."""
    config = fitting.config
    batches = choose_batches(fitting)
    first = batches(0)
    check_shares(first, fitting.hardware.processes)
    optimizer = build_optimizer(model, config, learning_rate=fitting.learning_rate)
    steps = len(first) + sum(len(batches(epoch)) for epoch in range(1, config.epochs))
    steering = fitting.steer(steps) if fitting.steer else None
    optimizer_step = OptimizerStep(
        optimizer,
        trained_parameters(model).values(),
        rate=partial(rate_factor, steps=steps, warmup_fraction=config.warmup_fraction),
        max_grad_norm=config.max_grad_norm,
        after=steering.after_step if steering else do_nothing,
        scale=LossScale() if fitting.hardware.precision == "fp16" else None,
    )
    if any(batch.proteins is not None for batch in first):
        fitting = replace(fitting, bank=empty_bank(model, fitting))
    run = TrainingRun(
        model, fitting, batches=batches, optimizer_step=optimizer_step, steering=steering
    )
    run.load(steps)
    state = run.state
    if state.step:
        logger.info("resuming in epoch %d, after step %d of %d", state.epoch + 1, state.step, steps)
    return run


class TrainingRun:
    """A training in progress: model, optimizer and state change together. `begin` creates it."""

    def __init__(
        self,
        model: ProteinModel,
        fitting: Fitting,
        *,
        batches: Batches,
        optimizer_step: OptimizerStep,
        steering: Steering | None,
    ) -> None:
        self.model, self.fitting, self.batches = model, fitting, batches
        self.optimizer_step, self.steering = optimizer_step, steering
        self.state = TrainingState(0)
        self.processes = fitting.hardware.processes
        self.clock = self.last_save = time.monotonic()

    def is_over(self) -> bool:
        """Return whether all epochs are done, or the score has not risen for too long."""
        state, config = self.state, self.fitting.config
        waited = state.epoch - state.best_epoch
        out_of_patience = bool(state.best) and waited > config.patience
        return state.epoch >= config.epochs or out_of_patience

    def finish(self) -> FitResult:
        """Leave the best weights in the model, and return the result."""
        state = self.state
        restore_trained(self.model, state.best)
        return FitResult(
            state.best_epoch + 1, state.best_score, state.step, state.seconds, state.history
        )

    def say_end(self) -> None:
        """Log which weights stay, and why the training stopped early if it did."""
        state, epochs = self.state, self.fitting.config.epochs
        if state.epoch < epochs:
            logger.info(
                "stopped early: no better validation score for %s (--patience)",
                count_of(state.epoch - 1 - state.best_epoch, "epoch"),
            )
        if state.best_epoch + 1 < state.epoch:
            best = f"epoch {state.best_epoch + 1}" if state.best_epoch >= 0 else "the start"
            logger.info("the model has the weights of %s", best)

    def keep_start(self) -> None:
        """Score the weights before the first step; they stay if no epoch is better."""
        state, headline = self.state, self.fitting.task.outcome.headline
        state.best_score, state.best = self._validated()[headline], copy_trained(self.model)
        logger.info("before training: validation %.4f", state.best_score)

    def train_epoch(self) -> None:
        """Train on the rest of an epoch's batches."""
        state, left = self.state, self.left()
        if self.fitting.bank is not None and not state.step:
            self._fill_bank()
        set_training_mode(self.model)
        examples = sum(len(batch) for batch in left)
        title = f"epoch {state.epoch + 1}/{self.fitting.config.epochs}"
        beside = self._outlook()
        with meter(title, total=examples, unit="examples", beside=beside) as progress:
            for batch in left:
                self.step(batch, advance=progress.advance)

    def _fill_bank(self) -> None:
        self.model.eval()
        proteins = len(np.unique(self.fitting.part.members))
        with meter("vectors before training", total=proteins, unit="proteins") as progress:
            advance = self._for_all(progress.advance)
            self.fitting = filled_bank(self.model, self.fitting, advance=advance)

    def left(self) -> list[Batch]:
        """Return the batches that are left in this epoch."""
        return self.batches(self.state.epoch)[self.state.batch :]

    def _outlook(self) -> str:
        """Return the best validation score so far, and the time that all epochs will take."""
        state = self.state
        if not state.history:
            return ""
        return f"validation {state.best_score:.3f} · {self.time_left()}"

    def time_left(self) -> str:
        """Return the longest time left: a training stops early if the score no longer rises."""
        history, epochs = self.state.history, self.fitting.config.epochs
        per_epoch = history[-1]["seconds"] / len(history)
        return f"≤ {duration(per_epoch * (epochs - len(history)))} left"

    def step(
        self, batch: Batch, *, advance: Callable[[float], None] = lambda _examples: None
    ) -> float:
        """Take one optimizer step and return the loss before it.

        The modules must be in training mode (`set_training_mode`).

        Parameters
        ----------
        advance
            Called with the number of finished examples.
        """
        factor = self.optimizer_step.loss_factor
        loss, self.fitting = add_fitting_gradients(
            self.model,
            self.fitting,
            batch,
            step=self.state.step,
            factor=factor,
            advance=self._for_all(advance),
        )
        if self.steering and self.processes.is_first:
            (self.steering.penalty() * factor).backward()
        return self.take(loss, batch)

    def _for_all(self, advance: Callable[[float], None]) -> Callable[[float], None]:
        """Return a function that advances by this process's work, times all processes."""
        return lambda finished: advance(finished * self.processes.count)

    def take(self, loss: float, batch: Batch) -> float:
        """Take one optimizer step with the gradients of a batch; write a resume point in time.

        Parameters
        ----------
        loss
            The loss of this process's share of the batch.

        Returns
        -------
        The loss of the batch.
        """
        state = self.state
        loss = self.processes.sum_gradients(self.optimizer_step.parameters, loss)
        if not np.isfinite(loss):
            raise self._diverged(f"the loss became {loss}", batch)
        with undisturbed():
            self.optimizer_step.take(state.step)
            if self.fitting.bank is not None:
                self.fitting.bank.keep()
            state.step, state.batch = state.step + 1, state.batch + 1
            state.loss_sum += loss
        if time.monotonic() - self.last_save >= 60 * self.fitting.config.checkpoint_minutes:
            self.save()
        return loss

    def _diverged(self, what: str, batch: Batch) -> TrainingError:
        state = self.state
        where = f"{what} in epoch {state.epoch + 1}, step {state.step + 1}"
        return diverged(where, self.model, self.fitting, batch=batch.examples, step=state.step)

    def end_epoch(self) -> None:
        """Validate, keep the best weights, write history and a resume point."""
        state = self.state
        metrics = self._validated()
        headline = self.fitting.task.outcome.headline
        if metrics[headline] > state.best_score:
            state.best_score, state.best_epoch = metrics[headline], state.epoch
            state.best = copy_trained(self.model)
        if not state.best:
            raise TrainingError(
                f"the validation {headline} is {metrics[headline]} after epoch 1. Check that the "
                "labels of the validation part differ; if they do, lower --learning-rate, because "
                "all predictions may be the same"
            )
        self._count_time()
        row = {"epoch": state.epoch + 1, "step": state.step, "seconds": round(state.seconds, 1)}
        row |= {"train_loss": state.loss_sum / state.batch} | metrics
        with undisturbed():
            state.history.append(row)
            state.epoch, state.batch, state.loss_sum = state.epoch + 1, 0, 0.0
        if self.fitting.says_epochs:
            self._log(row, headline)
        if self.processes.is_first:
            self.fitting.on_epoch(state.history)
        self.save()

    def _validated(self) -> dict[str, float]:
        """Return the validation scores.

        Raises
        ------
        TrainingError
            If the epoch has made the weights, or what they compute, infinite.
        """
        where = f"after epoch {self.state.epoch + 1}"
        if not are_finite(self.model):
            raise TrainingError(f"the trained weights are not finite {where}. {SLOWER}")
        try:
            return self.processes.first(self.fitting.validate)
        except NotFiniteError as error:
            if damaged_weights(self.model, step=self.state.step):
                raise
            raise TrainingError(f"the embeddings are not finite {where}. {SLOWER}") from error

    def _log(self, row: dict[str, Any], headline: str) -> None:
        logger.info(
            "epoch %d/%d: loss %.4f · validation %.4f%s · %s%s",
            row["epoch"],
            self.fitting.config.epochs,
            row["train_loss"],
            row[headline],
            " (best)" if self.state.best_epoch == row["epoch"] - 1 else "",
            duration(row["seconds"]),
            "" if self.is_over() else f", {self.time_left()}",
        )

    def _count_time(self) -> None:
        now = time.monotonic()
        self.state.seconds += now - self.clock
        self.clock = now

    def save(self) -> None:
        """Write a resume point, in the first process."""
        self._count_time()
        if self.processes.is_first:
            save_point(
                self.fitting.checkpoints,
                self.state,
                model=self.model,
                optimizer=self.optimizer_step.optimizer,
                others=self._others(),
            )
        self.last_save = time.monotonic()

    def load(self, steps: int) -> None:
        """Go on from the last resume point of a training with so many steps, if there is one."""
        self.state = load_point(
            self.fitting.checkpoints,
            model=self.model,
            optimizer=self.optimizer_step.optimizer,
            steps=steps,
            others=self._others(),
        )

    def _others(self) -> dict[str, Stateful]:
        """Return everything else whose state belongs to a resume point."""
        others = {
            "steering": self.steering,
            "loss_scale": self.optimizer_step.scale,
            "vector_bank": self.fitting.bank,
        }
        return {name: other for name, other in others.items() if other is not None}
