"""Gradients in, one optimizer step out: the step that training and pretraining share."""

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from peftide.errors import TrainingError

Rate = Callable[[int], float]
"""Step (from 0) → share of the peak learning rate."""


def do_nothing(_step: int) -> None:
    """Change nothing after a step."""


class LossScale:
    """The factor on the loss that keeps small gradients above zero in fp16.

    It is halved, and the step skipped, if a gradient is not finite; it is doubled after many steps
    with finite gradients.

    References
    ----------
    Micikevicius et al. 2018, arXiv 1710.03740 (mixed-precision training), section 3.2.
    """

    FIRST: float = 2.0**16
    GROWTH_STEPS: int = 2000

    def __init__(self) -> None:
        self.factor, self.good_steps = self.FIRST, 0

    def unscale(self, parameters: Iterable[nn.Parameter]) -> bool:
        """Divide the gradients by the factor; return whether all are finite. Adapt the factor.

        Raises
        ------
        TrainingError
            If gradients overflow even without a factor.
        """
        gradients = [p.grad for p in parameters if p.grad is not None]
        for gradient in gradients:
            gradient.div_(self.factor)
        if all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            self.good_steps += 1
            if self.good_steps == self.GROWTH_STEPS:
                self.factor, self.good_steps = 2 * self.factor, 0
            return True
        self.factor, self.good_steps = self.factor / 2, 0
        if self.factor < 1:
            raise TrainingError(
                "the gradients overflow in fp16, whose largest number is 65,504, at every loss "
                "scale. Use --precision fp32 (or bf16), and start again with --overwrite"
            )
        return False

    def state(self) -> dict[str, Tensor]:
        """Return the tensors that a resumed training needs."""
        return {"factor": torch.tensor(self.factor), "good_steps": torch.tensor(self.good_steps)}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Restore tensors that `state` returned."""
        self.factor = float(tensors["factor"])
        self.good_steps = int(tensors["good_steps"])


class OptimizerStep:
    """Clips the gradients, sets the learning rates, updates the weights, clears the gradients.

    The step number alone determines the rates, so a resumed training needs only the moments of the
    optimizer.

    Parameters
    ----------
    optimizer
        Its learning rates, as given, are the peak rates.
    parameters
        All trained parameters; their gradients are clipped by the common norm.
    rate
        Step → share of the peak rate, the same for all groups.
    max_grad_norm
        Largest norm of the gradients.
    after
        Called with the step after the update, while the gradients are still there.
    scale
        The factor on the loss in fp16. A step with gradients that are not finite changes nothing.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        parameters: Iterable[nn.Parameter],
        *,
        rate: Rate,
        max_grad_norm: float,
        after: Callable[[int], None] = do_nothing,
        scale: LossScale | None = None,
    ) -> None:
        self.optimizer, self.parameters = optimizer, list(parameters)
        self.rate, self.max_grad_norm, self.after = rate, max_grad_norm, after
        self.scale = scale
        self.peaks = [group["lr"] for group in optimizer.param_groups]

    @property
    def loss_factor(self) -> float:
        """The factor on the loss whose gradients the next step takes."""
        return 1.0 if self.scale is None else self.scale.factor

    def take(self, step: int) -> Tensor:
        """Take step `step` (from 0); return the norm of the gradients before clipping."""
        if self.scale is not None and not self.scale.unscale(self.parameters):
            self.optimizer.zero_grad(set_to_none=True)
            return torch.zeros(())
        norm = nn.utils.clip_grad_norm_(self.parameters, self.max_grad_norm)
        self.set_rates(step)
        self.optimizer.step()
        self.after(step)
        self.optimizer.zero_grad(set_to_none=True)
        return norm

    def set_rates(self, step: int) -> None:
        """Set the learning rate of every group for a step."""
        share = self.rate(step)
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * share
