"""UniRep: a recurrent protein language model (multiplicative LSTM), in torch.

::

    m = (x Wmx) ∘ (h Wmh)          x: residue, or state of the cell below     h: state before it
    i, f, o, u = x Wx + m Wh + b
    c = σ(f) ∘ c + σ(i) ∘ tanh(u)
    h = σ(o) ∘ tanh(c)

References: Alley et al. 2019, doi 10.1038/s41592-019-0598-1 (model and weights); Krause et al.
2016, arXiv 1609.07959 (the cell). The published matrices are weight-normalised. peftide stores the
normalised matrices, so adapters add to exactly the matrix that multiplies.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from peftide.backbones.backbone import LayeredBackbone, Origin
from peftide.backbones.step_products import StepProduct
from peftide.packing import PackedBatch, pack
from peftide.tokens import Vocabulary
from peftide.types import IntArray

LETTERS = "-MRHKDESTNQCUGPAVIFYWLO"
"""Letters by token id; 0 is a gap, which peftide never writes."""
ANY_RESIDUE, START, STOP = 23, 24, 25
TOKENS = 26
RESIDUE_WIDTH = 10
"""Width of the residue embedding."""
MATRICES = ("wmx", "wmh", "wx", "wh")
CELLS = "cells"
SEGMENT_NUMBERS = 24
"""Numbers per unit that the backward pass through one time step keeps: products, gates, states."""
SEGMENT_STEPS = 16
"""Time steps whose activations training keeps at a time, if those of all do not fit."""
KEPT_BYTES = 500_000_000
"""Memory for the activations of all time steps; keeping them saves a third of the time."""


def unirep_vocabulary() -> Vocabulary:
    """Return the token ids: B, J and Z are read as X, and a start token comes first."""
    letter_ids = np.full(256, ANY_RESIDUE, dtype=np.int64)
    for token, letter in enumerate(LETTERS):
        letter_ids[ord(letter)] = token
    return Vocabulary(letter_ids, (START,), (), frozenset("BJZ"))


class Cell(nn.Module):
    """One multiplicative LSTM cell."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.wmx = nn.Linear(inputs, width, bias=False)
        self.wmh = nn.Linear(width, width, bias=False)
        self.wx = nn.Linear(inputs, 4 * width)
        self.wh = nn.Linear(width, 4 * width, bias=False)

    def forward(
        self,
        inputs: Float[Tensor, "S I"],
        rows: Int[Tensor, " N"],
        counts: Sequence[int],
        *,
        memory_use: "MemoryUse",
    ) -> Float[Tensor, "N D"]:
        """Return the state after each token, tokens of the same time step side by side.

        Parameters
        ----------
        inputs
            Distinct inputs: embeddings of the tokens, or states of the cell below.
        rows
            The input of each token, sorted by time step, then by length of the sequence.
        counts
            Sequences that have a token at each time step; never increases.
        """
        factors, gates = self.wmx(inputs), self.wx(inputs)
        products = StepProduct(self.wmh), StepProduct(self.wh)
        state = gates.new_zeros((counts[0], self.wmh.in_features), dtype=torch.float32)
        memory, states = torch.zeros_like(state), []
        size = memory_use.steps or len(counts)
        kept = 4 * SEGMENT_NUMBERS * self.wmh.in_features * len(rows)
        recompute = kept > memory_use.kept_bytes and torch.is_grad_enabled()
        for start in range(0, len(counts), size):
            some = counts[start : start + size]
            now, rows = rows.tensor_split([sum(some)])
            if memory_use.truncate:
                state, memory = state.detach(), memory.detach()
            run = partial(checkpoint, self.run, use_reentrant=False) if recompute else self.run
            segment = Segment(factors, gates, now, some, products)
            found, state, memory = run(segment, state, memory)
            states.append(found)
        return torch.cat(states)

    def run(
        self, segment: "Segment", state: Float[Tensor, "P D"], memory: Float[Tensor, "P D"]
    ) -> tuple[Float[Tensor, "N D"], Float[Tensor, "Q D"], Float[Tensor, "Q D"]]:
        """Run some time steps; return the states after each token, and the last state and memory.

        Products run in the precision of the context, states are fp32.
        """
        states = []
        wmh, wh = (product.begin() for product in segment.products)
        steps = segment.rows.split(list(segment.counts))
        for count, rows in zip(segment.counts, steps, strict=True):
            state, memory = state[:count], memory[:count]
            mixed = segment.factors[rows] * wmh(state)
            i, f, o, u = (segment.gates[rows] + wh(mixed)).float().chunk(4, dim=1)
            memory = f.sigmoid() * memory + i.sigmoid() * u.tanh()
            state = o.sigmoid() * memory.tanh()
            states.append(state)
        return torch.cat(states), state, memory


@dataclass(frozen=True)
class Segment:
    """Successive time steps.

    Attributes
    ----------
    factors, gates
        Products of all distinct inputs with the two input matrices.
    rows
        The input of each token.
    counts
        Sequences that have a token at each time step.
    products
        Products of a state with the two square matrices.
    """

    factors: Float[Tensor, "S D"]
    gates: Float[Tensor, "S D4"]
    rows: Int[Tensor, " N"]
    counts: Sequence[int]
    products: tuple[StepProduct, StepProduct]


@dataclass(frozen=True)
class MemoryUse:
    """How training through many time steps saves memory.

    Attributes
    ----------
    steps
        Time steps of one segment; None: all.
    truncate
        Whether gradients stop between segments (truncated back-propagation through time).
    kept_bytes
        Activations that are kept; if there are more, the backward pass computes those of each
        segment again.
    """

    steps: int | None = SEGMENT_STEPS
    truncate: bool = False
    kept_bytes: int = KEPT_BYTES


class UniRep(nn.Module):
    """A residue embedding and a stack of cells.

    Parameters
    ----------
    cells
        Number of cells.
    width
        Width D of each state.
    """

    def __init__(self, cells: int, width: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(TOKENS, RESIDUE_WIDTH)
        inputs = [RESIDUE_WIDTH, *[width] * (cells - 1)]
        self.cells = nn.ModuleList(Cell(each, width) for each in inputs)
        self.width = width
        self.memory_use = MemoryUse()

    def forward(self, batch: PackedBatch, cells: int | None) -> Float[Tensor, "N D"]:
        """Return the states after some cells (None: all), in the order of the batch."""
        order, counts = time_steps(batch.lengths)
        places = torch.from_numpy(order).to(batch.input_ids.device)
        if batch.hidden is None:
            inputs, rows = self.embedding.weight, batch.input_ids[places]
        else:
            inputs, rows = batch.hidden, places
        done = batch.layers_done
        for cell in [*self.cells][done:cells]:
            inputs = cell(inputs, rows, counts, memory_use=self.memory_use)
            rows = torch.arange(len(rows), device=rows.device)
        if not [*self.cells][done:cells]:
            return batch.hidden if batch.hidden is not None else inputs[batch.input_ids]
        return inputs[torch.from_numpy(np.argsort(order)).to(inputs.device)]


def time_steps(lengths: Sequence[int]) -> tuple[IntArray, list[int]]:
    """Return packed tokens sorted by time step, and the sequences that take part in each step.

    Inside a step, longer sequences come first, so the sequences that have ended are the last ones.

    Examples
    --------
    >>> order, counts = time_steps([1, 3, 2])
    >>> order.tolist(), counts
    ([1, 4, 0, 2, 5, 3], [3, 2, 1])
    """
    sizes = np.asarray(lengths)
    rank = np.empty(len(sizes), dtype=np.int64)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    steps = np.concatenate([np.arange(size) for size in sizes])
    order = np.lexsort((np.repeat(rank, sizes), steps))
    return order, np.bincount(steps).tolist()


@dataclass(frozen=True)
class Output:
    """The output layer of the language model. It is no part of the backbone and has no hash.

    Attributes
    ----------
    weight, bias
        From a state to the logits of all tokens but the gap.
    """

    weight: Float[Tensor, "D V1"]
    bias: Float[Tensor, " V1"]


class UniRepBackbone(LayeredBackbone):
    """UniRep as a backbone; its layers are its cells."""

    budget_factor = 64
    takes_int8 = False
    is_recurrent = True
    learning_rate_factor = 0.1  # gradients of all time steps add up
    layer_prefix = CELLS
    attention_modules: Mapping[str, str] = MappingProxyType({name: name for name in MATRICES})
    default_targets = ("wmh", "wh")
    activation_bytes = 12  # of a batch whose segments are computed again: states, and one segment

    def __init__(self, model: UniRep, *, origin: Origin, output: Output | None = None) -> None:
        super().__init__()
        self.model: Any = model
        self.output = output
        self.vocabulary = unirep_vocabulary()
        self.origin = origin
        self.width, self.layers, self.max_residues = model.width, len(model.cells), None

    @property
    def has_summary_token(self) -> bool:
        """False: the start token sees nothing."""
        return False

    def pack(self, sequences: list[str], *, max_length: int | None) -> PackedBatch:
        """Encode sequences, cropped to `max_length` residues, and put them end to end."""
        ids = [self.vocabulary.encode(sequence, max_length=max_length) for sequence in sequences]
        return pack(ids, first_position=0, prefix=1, suffix=0)

    def forward(self, batch: PackedBatch) -> Float[Tensor, "N D"]:
        """Return the state after each token."""
        return self._network()(batch, None)

    def letter_logits(
        self, tokens: Float[Tensor, "N D"], batch: PackedBatch
    ) -> Float[Tensor, "R V"] | None:
        """Return the logits at each residue, given the residues before it.

        None for random weights, or without the top cell.
        """
        if self.output is None:
            return None
        before = tokens[batch.residue_rows - 1].float()
        logits = before @ self.output.weight.to(tokens.device)
        gap = logits.new_full((len(logits), 1), -torch.inf)
        return torch.cat([gap, logits + self.output.bias.to(tokens.device)], dim=1)

    def hidden_states(self, batch: PackedBatch, layers: int) -> Float[Tensor, "N D"]:
        """Return the states after each token of the first cells."""
        return self._network()(batch, layers)

    def recompute_activations(self) -> None:
        """Save memory: compute the activations of each segment again in the backward pass."""
        network = self._network()
        network.memory_use = replace(network.memory_use, kept_bytes=0)

    def train_as_if_larger(self, times: float) -> None:
        """Compute activations again if those of so many times larger batches would not fit."""
        network = self._network()
        if network.memory_use.kept_bytes:
            kept = max(1, round(KEPT_BYTES / times))
            network.memory_use = replace(network.memory_use, kept_bytes=kept)

    def truncate(self, residues: int) -> None:
        """Let gradients flow back through so many residues at most, in segments of this length."""
        self._network().memory_use = MemoryUse(residues, truncate=True)

    @property
    def segment_bytes(self) -> int:
        """Memory for the activations of one segment of one sequence."""
        steps = self._network().memory_use.steps or 0
        return 4 * SEGMENT_NUMBERS * self.width * steps

    def _network(self) -> UniRep:
        return self.model if isinstance(self.model, UniRep) else self.model.get_base_model()
