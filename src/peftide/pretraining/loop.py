"""The pretraining loop: masked rows → optimizer steps → held-out perplexity, resume points."""

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.optim import AdamW

from peftide.errors import TrainingError
from peftide.hardware import Hardware
from peftide.optimizer import LossScale, OptimizerStep
from peftide.parameters import trained_parameters
from peftide.pretraining.masking import Masking
from peftide.pretraining.network import LOSSES, Batch, PretrainingModel, as_batch
from peftide.pretraining.profiles import Profiles
from peftide.pretraining.sampling import RowSampler
from peftide.pretraining.schedule import rate_factor
from peftide.process import undisturbed
from peftide.progress import Meter, meter
from peftide.resume_points import ResumePoint, read_point, seed_step, write_point

logger = logging.getLogger(__name__)

BATCHES_AHEAD = 4
BETAS = (0.9, 0.98)


@dataclass
class Progress:
    """The progress of a pretraining. The data of a step depend on seed and step alone."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    history: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Schedule:
    """Number of steps and learning rates.

    Attributes
    ----------
    steps
        Optimizer steps.
    learning_rate
        Peak rate of AdamW.
    evaluate_every
        Steps between two rows of the history.
    deadline
        `time.monotonic()` at which to stop, or None.
    """

    steps: int
    learning_rate: float
    warmup_steps: int
    decay_fraction: float
    weight_decay: float
    max_grad_norm: float
    evaluate_every: int
    checkpoint_minutes: float
    deadline: float | None

    def rate_factor(self, step: int) -> float:
        """Return the share of the peak rate at a step (from 0)."""
        return rate_factor(
            step,
            steps=self.steps,
            warmup_steps=self.warmup_steps,
            decay_fraction=self.decay_fraction,
        )


class BatchSource:
    """Makes the batch of any step; a thread makes some batches ahead."""

    def __init__(
        self,
        sampler: RowSampler,
        masking: Masking,
        *,
        seed: int,
        profiles: Profiles | None = None,
    ) -> None:
        self.sampler, self.masking, self.seed = sampler, masking, seed
        self.profiles = profiles

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, on the CPU."""
        rows = self.sampler.rows(step)
        masked = self.masking.apply(rows, np.random.default_rng([self.seed, step, 1]))
        first = rows.sequences[rows.piece[:, 0]]
        profile = None if self.profiles is None else self.profiles.of(rows)
        return as_batch(rows, masked, self.sampler.corpus.clusters[first], profile=profile)

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches of some steps."""
        with ThreadPoolExecutor(1) as pool:
            waiting = [
                pool.submit(self.batch, s) for s in range(start, min(stop, start + BATCHES_AHEAD))
            ]
            for step in range(start, stop):
                if step + BATCHES_AHEAD < stop:
                    waiting.append(pool.submit(self.batch, step + BATCHES_AHEAD))
                yield waiting.pop(0).result()


@dataclass(frozen=True)
class Pretraining:
    """Everything that a pretraining needs besides the model.

    Attributes
    ----------
    loss_weights
        Weight of each of `LOSSES`.
    evaluate
        Scores the model during training: name → value, for the history.
    checkpoints
        Folder for resume points.
    compile_steps
        Whether the forward pass is compiled.
    """

    source: BatchSource
    schedule: Schedule
    hardware: Hardware
    loss_weights: tuple[float, float, float]
    evaluate: Callable[[], dict[str, float]]
    on_history: Callable[[list[dict[str, Any]]], None]
    checkpoints: Path
    compile_steps: bool


def pretrain_model(model: PretrainingModel, plan: Pretraining) -> Progress:
    """Train until the last step or the deadline, whichever comes first.

    Raises
    ------
    TrainingError
        If the loss is not a finite number.
    """
    schedule, optimizer = plan.schedule, build_optimizer(model, plan.schedule)
    optimizer_step = OptimizerStep(
        optimizer,
        trained_parameters(model).values(),
        rate=schedule.rate_factor,
        max_grad_norm=schedule.max_grad_norm,
        scale=LossScale() if plan.hardware.precision == "fp16" else None,
    )
    progress, losses = load_progress(
        plan.checkpoints, model=model, optimizer=optimizer, scale=optimizer_step.scale
    )
    run = PretrainingRun(model, plan, optimizer_step=optimizer_step, progress=progress)
    run.losses = losses
    run.go_until_interrupted()
    return progress


def load_progress(
    folder: Path, *, model: nn.Module, optimizer: AdamW, scale: LossScale | None = None
) -> tuple[Progress, list[torch.Tensor]]:
    """Read the last resume point into model and optimizer; a new start if there is none.

    Returns
    -------
    The progress, and the losses of the steps since the last row of the history.
    """
    point = read_point(folder, model=model, optimizer=optimizer, form=Progress)
    if point is None:
        return Progress(), []
    if scale and "loss_scale" in point.tensors:
        scale.restore(point.tensors["loss_scale"])
    steps = point.tensors.get("losses", {}).get("steps")
    return Progress(**point.record), [] if steps is None else list(steps)


def build_optimizer(model: nn.Module, schedule: Schedule) -> AdamW:
    """Return AdamW; biases and norms (one axis) are not decayed."""
    parameters = list(trained_parameters(model).values())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": schedule.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=schedule.learning_rate, betas=BETAS, fused=True)


class PretrainingRun:
    """One pretraining under way: model, optimizer and progress move together."""

    def __init__(
        self,
        model: PretrainingModel,
        plan: Pretraining,
        *,
        optimizer_step: OptimizerStep,
        progress: Progress,
    ) -> None:
        self.model, self.plan = model, plan
        self.optimizer_step, self.progress = optimizer_step, progress
        self.forward = torch.compile(model, dynamic=False) if plan.compile_steps else model
        self.clock = self.last_save = time.monotonic()
        self.loss_weights = torch.tensor(plan.loss_weights, device=plan.hardware.device)
        self.losses: list[torch.Tensor] = []  # and the gradient's norm, of each step

    def go(self) -> None:
        """Train on the remaining steps."""
        schedule, progress = self.plan.schedule, self.progress
        self.model.train()
        self.note_if_due()
        left = (schedule.steps - progress.step) * self.tokens_per_step
        with meter("pretraining", total=max(1, left), unit="tokens") as shown:
            for batch in self.plan.source.batches(progress.step, schedule.steps):
                self.step(batch)
                self.after_step(shown)
                if schedule.deadline is not None and time.monotonic() >= schedule.deadline:
                    break
        self.save()

    def go_until_interrupted(self) -> None:
        """Train on the remaining steps; an interruption writes a resume point first."""
        try:
            self.go()
        except KeyboardInterrupt:
            self.save()
            raise

    @property
    def tokens_per_step(self) -> int:
        """Number of tokens of a batch."""
        layout = self.plan.source.sampler.layout
        return layout.rows * layout.row_tokens

    def step(self, batch: Batch) -> None:
        """Take one optimizer step."""
        hardware = self.plan.hardware
        seed_step(self.plan.source.seed, self.progress.step)
        with hardware.autocast():
            losses = self.forward(batch.to(hardware.device))
        factor = self.optimizer_step.loss_factor
        ((losses * self.loss_weights).sum() * factor).backward()
        with undisturbed():
            norm = self.optimizer_step.take(self.progress.step)
            self.losses.append(torch.cat([losses.detach(), norm.detach()[None]]))
            self.progress.step += 1
            self.progress.tokens += self.tokens_per_step

    def after_step(self, shown: Meter) -> None:
        """Evaluate and save if it is time."""
        shown.advance(self.tokens_per_step)
        self.note_if_due()
        if time.monotonic() - self.last_save >= 60 * self.plan.schedule.checkpoint_minutes:
            self.save()

    def note_if_due(self) -> None:
        """Add a row to the history if it is time, unless the row is there."""
        step, schedule = self.progress.step, self.plan.schedule
        is_time = step % schedule.evaluate_every == 0 or step == schedule.steps
        if is_time and self.losses:
            self.note()

    def note(self) -> None:
        """Evaluate, and add a row to the history."""
        progress = self.progress
        losses = self._finite_means()
        self._count_time()
        self.model.eval()
        scores = self.plan.evaluate()
        self.model.train()
        row = {"step": progress.step, "tokens": progress.tokens}
        row |= {"seconds": round(progress.seconds, 1)} | losses | scores
        with undisturbed():
            progress.history.append(row)
            self.losses.clear()
        logger.info(
            "step %s: masked loss %.4f · held-out perplexity %.3f",
            f"{progress.step:,}/{self.plan.schedule.steps:,}",
            losses["masked_loss"],
            scores["perplexity"],
        )
        self.plan.on_history(progress.history)

    def _finite_means(self) -> dict[str, float]:
        """Return the mean losses since the last row of the history."""
        *losses, norm = torch.stack(self.losses).mean(0).tolist()
        if not np.isfinite(sum(losses) + norm):
            found = ", ".join(
                f"{name} loss {value:.4g}" for name, value in zip(LOSSES, losses, strict=True)
            )
            raise TrainingError(
                f"the training diverged ({found}, norm of the gradient {norm:.4g}) before step "
                f"{self.progress.step}. Lower --learning-rate (a tenth is a good try) or use "
                "--precision fp32, and start again with --overwrite"
            )
        return {f"{name}_loss": value for name, value in zip(LOSSES, losses, strict=True)}

    def _count_time(self) -> None:
        now = time.monotonic()
        self.progress.seconds += now - self.clock
        self.clock = now

    def save(self) -> None:
        """Write a resume point, unless the losses are no longer finite."""
        if self.losses:
            self._finite_means()
        self._count_time()
        scale = self.optimizer_step.scale
        tensors = {"model": trained_parameters(self.model), "losses": {}}
        tensors["loss_scale"] = scale.state() if scale else {}
        if self.losses:
            tensors["losses"]["steps"] = torch.stack(self.losses)
        point = ResumePoint(tensors, vars(self.progress))
        write_point(
            self.plan.checkpoints,
            point,
            step=self.progress.step,
            optimizer=self.optimizer_step.optimizer,
        )
        self.last_save = time.monotonic()
