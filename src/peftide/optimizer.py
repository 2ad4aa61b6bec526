"""Gradients in, one optimizer step out: the step that training and pretraining share."""

from collections.abc import Callable, Iterable

from torch import Tensor, nn
from torch.optim import Optimizer

Rate = Callable[[int], float]
"""Step (from 0) → share of the peak learning rate."""


def do_nothing(_step: int) -> None:
    """Change nothing after a step."""


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
    """

    def __init__(
        self,
        optimizer: Optimizer,
        parameters: Iterable[nn.Parameter],
        *,
        rate: Rate,
        max_grad_norm: float,
        after: Callable[[int], None] = do_nothing,
    ) -> None:
        self.optimizer, self.parameters = optimizer, list(parameters)
        self.rate, self.max_grad_norm, self.after = rate, max_grad_norm, after
        self.peaks = [group["lr"] for group in optimizer.param_groups]

    def take(self, step: int) -> Tensor:
        """Take step `step` (from 0); return the norm of the gradients before clipping."""
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
