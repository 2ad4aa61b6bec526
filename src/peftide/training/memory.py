"""A batch of examples in; its gradients out, in smaller parts if the GPU runs out of memory."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import torch

from peftide.engine.blocks import Batch
from peftide.errors import TrainingError
from peftide.model import ProteinModel
from peftide.resume_points import seed_step
from peftide.training.block_gradients import add_block_gradients, fill_bank
from peftide.training.gradients import add_gradients, shares_proteins
from peftide.training.parts import Fitting

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


def add_fitting_gradients(
    model: ProteinModel,
    fitting: Fitting,
    batch: Batch,
    *,
    step: int,
    factor: float = 1.0,
    advance: Callable[[float], None],
) -> tuple[float, Fitting]:
    """Add the gradients of a batch's mean loss to a model that has none yet.

    If the GPU runs out of memory, the batch is repeated with half the token budget. The gradients
    are the same.

    Parameters
    ----------
    step
        Optimizer step, which seeds the random numbers.
    factor
        Factor on the gradients (`LossScale`).
    advance
        Called with the number of finished examples; negative for lost work.

    Returns
    -------
    The loss, and the fitting with the token budget that fitted into memory.

    Raises
    ------
    TrainingError
        If one protein alone needs too much memory.
    """

    def add(tried: Fitting, note: Callable[[float], None]) -> float:
        seed_step(tried.config.seed, step, tried.hardware.processes.process_rank)
        if tried.bank is None:
            return add_gradients(model, tried, batch.examples, factor=factor, advance=note)
        return add_block_gradients(model, tried, batch, factor=factor, advance=note)

    def is_shared() -> bool:
        if fitting.bank is None:
            return shares_proteins(fitting, batch.examples)
        return fitting.hardware.processes.lockstep.active

    return in_memory(model, fitting, add, advance=advance, is_shared=is_shared)


def filled_bank(
    model: ProteinModel, fitting: Fitting, *, advance: Callable[[float], None]
) -> Fitting:
    """Encode all training proteins for the vector bank; return the fitting that had the memory."""

    def fill(tried: Fitting, note: Callable[[float], None]) -> None:
        fill_bank(tried, advance=note)

    def is_shared() -> bool:
        return fitting.hardware.processes.lockstep.active

    return in_memory(model, fitting, fill, advance=advance, is_shared=is_shared)[1]


def in_memory(
    model: ProteinModel,
    fitting: Fitting,
    work: Callable[[Fitting, Callable[[float], None]], Result],
    *,
    advance: Callable[[float], None],
    is_shared: Callable[[], bool],
) -> tuple[Result, Fitting]:
    """Do some work, with smaller token budgets if the GPU runs out of memory.

    Parameters
    ----------
    model
        Loses its gradients before the work is repeated.
    work
        Gets a fitting and a function to report progress to; it is repeated from its start.
    advance
        Called with the progress; negative for lost work.
    is_shared
        Whether other processes wait inside this work, so that it cannot be repeated.

    Returns
    -------
    The result, and the fitting with the token budget that fitted into memory.
    """
    while True:
        done: list[float] = []

        def note(finished: float, done: list[float] = done) -> None:
            done.append(finished)
            advance(finished)

        try:
            return work(fitting, note), fitting
        except torch.cuda.OutOfMemoryError as error:
            smaller = fitting.source.smaller
            if is_shared():
                raise TrainingError(
                    "out of GPU memory in a step whose proteins several processes share. Set a "
                    f"--max-tokens below {fitting.source.batch_tokens:,}, and start again"
                ) from error
            if smaller is None or fitting.source.batch_tokens <= fitting.source.costs.min():
                raise _too_long(fitting) from error
        # outside the handler: the tensors of the failed work are free by now
        advance(-sum(done))
        model.zero_grad(set_to_none=True)
        fitting = replace(fitting, source=smaller())
        _say(fitting.source.batch_tokens)


def _say(batch_tokens: int) -> None:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    logger.warning(
        "out of GPU memory: this step is repeated with at most %s tokens in a packed batch, as are "
        "all further steps (set --max-tokens to start with this limit)",
        f"{batch_tokens:,}",
    )


def _too_long(fitting: Fitting) -> TrainingError:
    return TrainingError(
        f"out of GPU memory in training on one protein (the longest has "
        f"{fitting.source.costs.max():,} tokens). Use --gradient-checkpointing, --precision bf16, "
        "a smaller --max-length, fewer --lora-layers or a smaller --backbone, and start again"
    )
