"""What a training does beside encoding: head, optimizer, validation answers, resume points."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.evaluation.tables import measure
from peftide.parameters import copy_trained, trained_parameters
from peftide.planning.cost import Cost, Seconds, fit_cost
from peftide.planning.scoring import random_logits
from peftide.planning.usage import Used, clocked, weighed
from peftide.training import Fitting, RowSource, answer_rows
from peftide.training.gradients import add_gradients
from peftide.training.modes import set_training_mode
from peftide.training.optimizer import build_optimizer
from peftide.training.resume import TrainingState, save_point
from peftide.training.setting import Problem, Setting
from peftide.types import FloatArray, IntArray

BATCHES = 12
MOST_ANSWERED = 20_000


def blank_embeddings(encoder: ModelEncoder, sequences: tuple[str, ...]) -> Embeddings:
    """Return rows of zeros for all proteins, which take no memory."""
    counts, width = encoder.rows(sequences), encoder.model.backbone.width
    kept = torch.float32 if counts.max() == 1 else torch.float16
    rows = torch.zeros((1, width), dtype=kept).expand(int(counts.sum()), width)
    return Embeddings(rows, np.concatenate([[0], np.cumsum(counts)]))


class StepMeter:
    """Takes optimizer steps of a training on rows that cost nothing to encode."""

    def __init__(self, setting: Setting, fitting: Fitting, *, steps: int) -> None:
        self.setting, self.model = setting, setting.model
        self.device = setting.hardware.device
        self.fitting = replace(fitting, source=_free_rows(fitting.source, setting))
        self.optimizer = build_optimizer(
            self.model, setting.config, learning_rate=fitting.learning_rate
        )
        self.steering = fitting.steer(steps) if fitting.steer else None
        self.steps_done = 0

    def cost(self, batches: list[IntArray]) -> Cost:
        """Return the cost per step and per row of the head."""
        order = np.argsort([len(batch) for batch in batches], kind="stable")
        chosen = [batches[k] for k in order[np.linspace(0, len(order) - 1, BATCHES).astype(int)]]
        set_training_mode(self.model)
        self._step(chosen[0])
        measured = [(self._sizes(batch), self._step(batch)) for batch in chosen]
        return fit_cost([size for size, _ in measured], [seconds for _, seconds in measured])

    def _sizes(self, batch: IntArray) -> FloatArray:
        return np.array([1.0, len(self.fitting.part.targets.rows(batch))])

    def _step(self, batch: IntArray) -> Seconds:
        for parameter in trained_parameters(self.model).values():
            parameter.grad = torch.zeros_like(parameter)

        def work() -> None:
            add_gradients(self.model, self.fitting, batch)
            if self.steering:
                self.steering.penalty().backward()
            parameters = list(trained_parameters(self.model).values())
            torch.nn.utils.clip_grad_norm_(parameters, self.setting.config.max_grad_norm)
            self.optimizer.step()
            if self.steering:
                self.steering.after_step(self.steps_done)

        _, seconds = clocked(work, self.device)
        self.optimizer.zero_grad(set_to_none=True)
        self.steps_done += 1
        return seconds

    def resume_point(self, folder: Path) -> Used[None]:
        """Write a resume point as an epoch ends."""
        state = TrainingState(best=copy_trained(self.model))

        def work() -> None:
            save_point(folder, state, model=self.model, optimizer=self.optimizer)

        return weighed(work, self.device)


def _free_rows(source: RowSource, setting: Setting) -> RowSource:
    """Return the rows of a frozen backbone as they are, or others of the same number."""
    if setting.embeddings is not None:
        return source
    width, device = setting.model.backbone.width, setting.hardware.device

    def rows(proteins: IntArray) -> Float[Tensor, "R D"]:
        return torch.zeros(
            int(source.counts[proteins].sum()), width, device=device
        ).requires_grad_()

    return replace(source, rows=rows, budget=float("inf"))


def validation_seconds(setting: Setting) -> Seconds:
    """Return the time of validation answers and metrics, all rows encoded."""
    problem = setting.problem
    members = problem.dataset.parts["validation"].members
    few = members[:MOST_ANSWERED]
    embeddings = blank_embeddings(setting.encoder, problem.dataset.proteins.sequences)
    _, answering = clocked(
        lambda: answer_rows(setting.model, embeddings, few, device=setting.hardware.device),
        setting.hardware.device,
    )
    return (
        answering * (len(members) / len(few)) + clocked(_measuring(problem), torch.device("cpu"))[1]
    )


def _measuring(problem: Problem) -> Callable[[], object]:
    logits = random_logits(problem)["validation"]
    targets = problem.targets["validation"]
    return lambda: measure(problem.task, targets, logits, labels=problem.labels, threshold=0.5)
