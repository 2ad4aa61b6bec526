"""A batch of examples in; its gradients out, in smaller parts if the GPU runs out of memory."""

import logging
from collections.abc import Callable
from dataclasses import replace

import torch

from peftide.errors import TrainingError
from peftide.model import ProteinModel
from peftide.resume_points import seed_step
from peftide.training.gradients import add_gradients, shares_proteins
from peftide.training.parts import Fitting
from peftide.types import IntArray

logger = logging.getLogger(__name__)


def add_fitting_gradients(
    model: ProteinModel,
    fitting: Fitting,
    batch: IntArray,
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
    batch
        Examples. Shape (B,).
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
    while True:
        done: list[float] = []

        def note(examples: float, done: list[float] = done) -> None:
            done.append(examples)
            advance(examples)

        seed_step(fitting.config.seed, step, fitting.hardware.processes.process_rank)
        try:
            return add_gradients(model, fitting, batch, factor=factor, advance=note), fitting
        except torch.cuda.OutOfMemoryError as error:
            smaller = fitting.source.smaller
            if shares_proteins(fitting, batch):
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
