"""Seconds and memory of packed batches through a model: measured on some, fitted for any."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from peftide.encoding import ModelEncoder
from peftide.packing import PackedBatch, token_budget_batches
from peftide.planning.cost import Cost, Seconds, fit_cost, load_of
from peftide.planning.usage import clocked, held_bytes, weighed
from peftide.training.modes import set_training_mode
from peftide.types import FloatArray, IntArray

SAMPLES = 5
REPEATS = 2
WARM_UP_TOKENS, FEWEST_TOKENS = 300, 160
SECONDS_PER_PASS = 6.0
GRAPH_FACTOR = 3.0
"""What a forward and backward pass costs, in forward passes."""
LONGEST_WEIGHING = 15.0
"""Seconds that the largest piece of a training may take to be measured itself."""

MOST_SHAPES, SECONDS_OF_SHAPES = 40, 5.0
"""Batches of different shapes that are run to see what they leave in memory."""

Pass = Callable[[PackedBatch], object]


class PassMeter:
    """Runs packed batches of real proteins through the layers of a model.

    Attributes
    ----------
    cut
        Layers below what is run by `forward` and `graph`; 0: those run all layers.
    """

    def __init__(self, encoder: ModelEncoder, sequences: Sequence[str], *, cut: int) -> None:
        self.encoder, self.sequences, self.cut = encoder, sequences, cut
        self.device = encoder.hardware.device
        self.tokens = encoder.tokens(sequences)
        self.seconds_per_token = self._warm_up()

    def _warm_up(self) -> float:
        """Run a few tokens twice, for the first pass is never like the others."""
        middle = np.argsort(self.tokens, kind="stable")[len(self.tokens) // 2 :]
        batch = self.entering(self._shortened(middle, WARM_UP_TOKENS))
        self.forward(batch)
        _, seconds = clocked(lambda: self.forward(batch), self.device)
        return seconds.wall / sum(batch.lengths)

    def below(self, batch: PackedBatch) -> Tensor:
        """Run the layers below the cut, as the trunk cache is filled."""
        with torch.inference_mode(), self.encoder.autocast():
            backbone: Any = self.encoder.model.backbone  # it has layers, for there is a cut
            return backbone.hidden_states(batch.to(self.device), self.cut).float().cpu()

    def forward(self, batch: PackedBatch) -> Tensor:
        """Run the other layers without graph."""
        with torch.inference_mode(), self.encoder.autocast():
            return self.encoder.encode(batch).float().cpu()

    def graph(self, *batches: PackedBatch) -> None:
        """Run the other layers forward and backward, with the graphs of all batches at a time."""
        set_training_mode(self.encoder.model)
        with self.encoder.autocast():
            rows = torch.cat([self.encoder.encode(batch).float() for batch in batches])
        rows.backward(torch.randn_like(rows))
        self.encoder.model.zero_grad(set_to_none=True)
        self.encoder.model.eval()

    def packed(self, proteins: IntArray) -> PackedBatch:
        """Return proteins as one packed batch."""
        texts = [self.sequences[int(p)] for p in proteins]
        return self.encoder.model.backbone.pack(texts, max_length=self.encoder.max_length)

    def entering(self, proteins: IntArray) -> PackedBatch:
        """Return proteins as a packed batch that enters above the cut."""
        batch = self.packed(proteins)
        if not self.cut:
            return batch
        with torch.no_grad(), self.encoder.autocast():
            backbone: Any = self.encoder.model.backbone
            hidden = backbone.hidden_states(batch.to(self.device), self.cut).float()
        return replace(batch, hidden=hidden, layers_done=self.cut)

    def below_cost(self, candidates: Sequence[IntArray]) -> Cost:
        """Return the cost of `below`."""
        return self._cost(self.packed, self.below, self._samples(candidates, 1.0))

    def forward_cost(self, candidates: Sequence[IntArray]) -> Cost:
        """Return the cost of `forward`."""
        return self._cost(self.entering, self.forward, self._samples(candidates, 1.0))

    def graph_cost(self, pieces: Sequence[IntArray]) -> Cost:
        """Return the cost of `graph`, of packed batches of some pieces of a training."""
        packed = [batch for piece in pieces for batch in self._batches(piece)]
        return self._cost(self.entering, self.graph, self._samples(packed, GRAPH_FACTOR))

    def _batches(self, piece: IntArray) -> list[IntArray]:
        budget = self.encoder.hardware.max_tokens
        return [piece[batch] for batch in token_budget_batches(self.tokens[piece], budget)]

    def _samples(self, candidates: Sequence[IntArray], factor: float) -> list[IntArray]:
        """Return a few batches, of short sequences to long ones, that take a short time."""
        means = [self.tokens[batch].mean() for batch in candidates]
        order = np.argsort(means, kind="stable")
        places = np.linspace(0, len(order) - 1, min(SAMPLES, len(order))).round().astype(int)
        affordable = SECONDS_PER_PASS / (SAMPLES * REPEATS * factor * self.seconds_per_token)
        return [
            self._shortened(candidates[int(order[place])], max(FEWEST_TOKENS, affordable))
            for place in places
        ] + [self._shortened(candidates[int(order[-1])], max(FEWEST_TOKENS, affordable) / 2)]

    def _shortened(self, proteins: IntArray, most_tokens: float) -> IntArray:
        """Return the first proteins of a batch, at least one, within some tokens."""
        fitting = np.searchsorted(np.cumsum(self.tokens[proteins]), most_tokens, side="right")
        return proteins[: max(1, int(fitting))]

    def _cost(
        self, enter: Callable[[IntArray], PackedBatch], run: Pass, samples: list[IntArray]
    ) -> Cost:
        sizes: list[FloatArray] = []
        measured: list[Seconds] = []
        batches = [enter(proteins) for proteins in samples]
        run(batches[0])
        for batch in batches * REPEATS:
            lengths = np.array(batch.lengths)
            sizes.append(load_of(lengths, [np.arange(len(lengths))]).values())
            measured.append(clocked(lambda chosen=batch: run(chosen), self.device)[1])
        return fit_cost(sizes, measured)

    def forward_bytes(self, candidates: Sequence[IntArray]) -> float:
        """Return the peak memory of the largest packed batch without graph."""
        largest = max(candidates, key=lambda batch: self.tokens[batch].sum())
        return self._weigh([largest], self.forward, factor=1.0)

    def graph_bytes(self, piece: IntArray) -> float:
        """Return the peak memory of a piece with its graph."""
        return self._weigh(self._batches(piece), self.graph, factor=GRAPH_FACTOR)

    def kept_bytes(self, candidates: Sequence[IntArray], pieces: Sequence[IntArray]) -> float:
        """Return what stays in memory after batches of many shapes: a kernel for each, and gaps.

        It grows with the first few dozen shapes and then no more; each kind of pass is run for a
        short time.
        """
        passes: list[tuple[Sequence[IntArray], Pass]] = [(candidates, self.forward)]
        passes += [(candidates, self.below)] if self.cut else []
        passes += [(pieces, self.graph)] if pieces else []

        def run() -> None:
            for some, one_pass in passes:
                self._run_for(SECONDS_OF_SHAPES, some, one_pass)

        before = held_bytes(self.device)
        run()
        return max(0.0, held_bytes(self.device) - before)

    def _run_for(self, seconds: float, candidates: Sequence[IntArray], one_pass: Pass) -> None:
        started = time.process_time()
        order = np.random.default_rng(0).permutation(len(candidates))[:MOST_SHAPES]
        for number in order:
            for batch in self._batches(candidates[int(number)]):
                entering = self.packed if one_pass == self.below else self.entering
                one_pass(entering(batch))
            if time.process_time() - started > seconds:
                return

    def _weigh(
        self, batches: list[IntArray], run: Callable[..., object], *, factor: float
    ) -> float:
        """Return the peak memory of batches at a time, from a part of them if they are many."""
        total = sum(int(self.tokens[batch].sum()) for batch in batches)
        affordable = LONGEST_WEIGHING / (factor * self.seconds_per_token)
        chosen = [batches[-1]]
        for batch in reversed(batches[:-1]):
            if sum(self.tokens[b].sum() for b in chosen) + self.tokens[batch].sum() <= affordable:
                chosen.append(batch)
        if self.tokens[chosen[0]].sum() > affordable:
            chosen = [self._shortened(chosen[0], max(FEWEST_TOKENS, affordable))]
        entered = [self.entering(batch) for batch in chosen]
        used = weighed(lambda: run(*entered), self.device)
        return used.grown_bytes * total / sum(int(self.tokens[batch].sum()) for batch in chosen)
