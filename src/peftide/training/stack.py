"""Heads of one form → one module that computes them all at once, by batched products.

::

    features of each head's rows (S, R, F) ──> one product per layer over (S, …) ──> logits

Each head keeps its own parameters: they become views of one tensor per layer.
"""

import copy
from collections.abc import Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from peftide.resume_points import seed_step


class Draws:
    """The dropout of several heads: each head draws the random numbers of a training alone.

    Parameters
    ----------
    seeds
        Seed of each head.
    process_rank
        Number of the process.

    Attributes
    ----------
    sizes
        Number of rows of each head in the present step.
    """

    def __init__(
        self, seeds: Sequence[int], device: torch.device, *, process_rank: int = 0
    ) -> None:
        self.seeds, self.process_rank = seeds, process_rank
        source = torch.random if device.type == "cpu" else torch.get_device_module(device)
        self.state, self.restore = source.get_rng_state, source.set_rng_state
        self.steps, self.sizes = list[int](), list[int]()
        self.states: list[Tensor | None] = []

    def begin(self, steps: Sequence[int], sizes: Sequence[int]) -> None:
        """Seed the next step of each head."""
        self.steps, self.sizes = list(steps), list(sizes)
        self.states = [None for _ in steps]

    def dropout(self, rows: Float[Tensor, "S *R F"], share: float) -> Float[Tensor, "S *R F"]:
        """Return the rows after dropout."""
        found = []
        for number, (own, size) in enumerate(zip(rows, self.sizes, strict=True)):
            state = self.states[number]
            if state is None:
                seed_step(self.seeds[number], self.steps[number], self.process_rank)
            else:
                self.restore(state)
            found.append(functional.dropout(own[:size], share))
            self.states[number] = self.state()
        return pad_sequence(found, batch_first=True)


class StackedLinear(nn.Module):
    """The linear layers at one place of several heads, as one batched product."""

    def __init__(self, layers: Sequence[nn.Linear]) -> None:
        super().__init__()
        self.layers = layers
        self.weight = _shared([layer.weight for layer in layers])
        biases = [layer.bias for layer in layers]
        self.bias = None if biases[0] is None else _shared(biases)

    def forward(self, rows: Float[Tensor, "S *R F"]) -> Float[Tensor, "S *R K"]:
        """Return the outputs of the layer of each head."""
        columns = rows.flatten(1, -2).transpose(1, 2)
        # in this order autograd makes the gradient of the weights without a transposed copy
        if self.bias is None:
            outputs = torch.bmm(self.weight, columns)
        else:
            outputs = torch.baddbmm(self.bias[..., None], self.weight, columns)
        return outputs.transpose(1, 2).contiguous().unflatten(1, rows.shape[1:-1])

    def share_gradients(self) -> None:
        """Give each head its part of the gradients."""
        for number, layer in enumerate(self.layers):
            layer.weight.grad = cast(Tensor, self.weight.grad)[number]
            if self.bias is not None:
                layer.bias.grad = cast(Tensor, self.bias.grad)[number]
        self.zero_grad(set_to_none=True)


def _shared(parameters: Sequence[Tensor]) -> nn.Parameter:
    """Stack several parameters into one tensor; they become its views."""
    together = torch.stack([parameter.detach() for parameter in parameters])
    for parameter, part in zip(parameters, together, strict=True):
        parameter.data = part
    return nn.Parameter(together)


class StackedDropout(nn.Module):
    """Dropout at one place of several heads."""

    def __init__(self, share: float, draws: Draws) -> None:
        super().__init__()
        self.share, self.draws = share, draws

    def forward(self, rows: Float[Tensor, "S *R F"]) -> Float[Tensor, "S *R F"]:
        """Return the rows after dropout."""
        return self.draws.dropout(rows, self.share) if self.share else rows


class HeadStack(nn.Module):
    """Several heads of one form in training, as one module.

    Parameters
    ----------
    heads
        Heads of the same form. Their parameters become views of common tensors.
    draws
        The dropout of each head.
    """

    def __init__(self, heads: Sequence[nn.Module], draws: Draws) -> None:
        super().__init__()
        self.draws = draws
        self.form = copy.deepcopy(heads[0])
        self.linears = list[StackedLinear]()
        for name, module in heads[0].named_modules():
            if isinstance(module, nn.Linear):
                layers = [cast(nn.Linear, head.get_submodule(name)) for head in heads]
                self.linears.append(StackedLinear(layers))
                self.form.set_submodule(name, self.linears[-1])
            elif isinstance(module, nn.Dropout):
                self.form.set_submodule(name, StackedDropout(module.p, self.draws))

    def forward(self, features: Float[Tensor, "R F"]) -> Float[Tensor, "R K"]:
        """Return the logits of the rows of all heads, which stand one after the other."""
        parts = features.split(self.draws.sizes)
        logits = self.form(pad_sequence(list(parts), batch_first=True))
        own = [part[:size] for part, size in zip(logits, self.draws.sizes, strict=True)]
        return torch.cat(own)

    def share_gradients(self) -> None:
        """Give each head its part of the gradients."""
        for linear in self.linears:
            linear.share_gradients()
