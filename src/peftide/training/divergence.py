"""A loss that is not finite → its cause: damaged weights, the input, or the learning rate."""

import numpy as np
import torch

from peftide.engine.not_finite import damaged_tensors
from peftide.errors import TrainingError
from peftide.model import ProteinModel
from peftide.parameters import trained_parameters
from peftide.quantities import count_of
from peftide.training.parts import Fitting
from peftide.types import IntArray

LARGEST_LABEL = 1e18
"""The square of a larger label overflows single precision."""
SLOWER = (
    "The training diverged: lower --learning-rate and --head-learning-rate (try a tenth) or use "
    "--precision fp32, and start again with --overwrite"
)


def diverged(
    where: str, model: ProteinModel, fitting: Fitting, *, batch: IntArray, step: int
) -> TrainingError:
    """Return the error for a loss that is not finite, with its cause.

    Parameters
    ----------
    where
        What happened, and when.
    batch
        The examples of the loss. Shape (B,).
    step
        Number of optimizer steps taken before.
    """
    if tensors := damaged_weights(model, step=step):
        return TrainingError(
            f"{where}: the weights of the backbone {model.backbone.origin.name} hold NaN or "
            f"infinity in {count_of(len(tensors), 'tensor')}, for instance {tensors[0]}. "
            "Download or train the backbone again"
        )
    targets = fitting.part.targets
    rows = targets.rows(batch)
    values = targets.values[rows][targets.counted[rows]]
    wrong = values[~(np.abs(values) <= LARGEST_LABEL)]
    if len(wrong):
        return TrainingError(
            f"{where}: the input has the label {wrong.flat[0]:g}, which is too large to train on. "
            "Correct the label, or train on its logarithm"
        )
    if fitting.hardware.precision == "fp16":
        return TrainingError(
            f"{where}: numbers overflow in fp16, whose largest is 65,504. Use --precision fp32 (or "
            "bf16, if the hardware has it), and start again with --overwrite"
        )
    if step == 0:
        return TrainingError(
            f"{where}, before anything was learned: the numbers overflow. Use --precision fp32"
        )
    return TrainingError(f"{where}. {SLOWER}")


def damaged_weights(model: ProteinModel, *, step: int) -> list[str]:
    """Return the tensors of the backbone that were damaged before the training.

    A step that diverges damages all trained tensors, because gradients are clipped together.
    """
    damaged = list(damaged_tensors(model.backbone.model))
    trained = trained_parameters(model.backbone.model)
    if step and trained and trained.keys() <= set(damaged):
        return [name for name in damaged if name not in trained]
    return damaged


def are_finite(model: ProteinModel) -> bool:
    """Return whether all trained parameters are finite."""
    parameters = trained_parameters(model).values()
    return all(bool(torch.isfinite(parameter).all()) for parameter in parameters)
