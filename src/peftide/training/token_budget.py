"""A model on a device → its fastest token budget (`--max-tokens measured`)."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from peftide.encoding import ModelEncoder
from peftide.hardware import GRAPH_BATCHES
from peftide.model import count_parameters
from peftide.packing import PackedBatch, token_budget_batches
from peftide.training.modes import set_training_mode
from peftide.training.usage import clocked, machine_memory, weighed

logger = logging.getLogger(__name__)

SECONDS = 2.0
"""CPU seconds for all measured batches together."""
LADDER = (1, 2, 0.5, 4)
"""Compared budgets, as multiples of the usual one; if time is short, the last ones are skipped."""
PLACES = (0.5, 0.75, 0.25)
"""Positions of the measured batches among all batches, sorted by length."""
GAIN, NEAR = 1.2, 1.05
"""Factor by which a budget must beat the usual one; factor within which speeds count as equal."""
SMALLEST, WEIGHED_TOKENS = 256, 1024
MEMORY_SHARE = 0.5
"""Share of the free memory for activations."""
STATE_BYTES = 16
"""Bytes per trained parameter: its gradient, two optimizer moments, and the best weights."""
MOST_SEQUENCES = 1000


def measured_token_budget(
    encoder: ModelEncoder,
    sequences: Sequence[str],
    *,
    graph: bool,
    cut: int,
    layers_each: float = 1.0,
) -> int:
    """Return the token budget of a training, measured on packed batches of its sequences.

    The usual budget (`encoder.hardware.max_tokens`) is kept unless another one is a fifth faster
    or the usual one does not fit into memory.

    Parameters
    ----------
    graph
        Whether batches run forward and backward.
    cut
        Number of frozen layers that do not run, because their output is stored.
    layers_each
        Number of layers that each layer of this model represents.
    """
    order = np.argsort(encoder.tokens(sequences), kind="stable")
    some = [sequences[int(k)] for k in order[:: -(-len(order) // MOST_SEQUENCES)]]
    trial = BudgetTrial(encoder, some, graph=graph, cut=cut)
    device = encoder.hardware.device
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        return _choose(trial, encoder.hardware.max_tokens, layers_each)


class BudgetTrial:
    """Runs packed batches under several token budgets."""

    def __init__(
        self, encoder: ModelEncoder, sequences: Sequence[str], *, graph: bool, cut: int
    ) -> None:
        self.encoder, self.sequences, self.graph, self.cut = encoder, sequences, graph, cut
        self.tokens = encoder.tokens(sequences)

    def batch(self, budget: int, place: float) -> PackedBatch:
        """Return one packed batch by its position among all batches (0: shortest sequences)."""
        batches = token_budget_batches(self.tokens, budget)
        chosen = batches[int(place * len(batches))]
        batch = self.encoder.pack([self.sequences[int(k)] for k in chosen])
        if not self.cut:
            return batch
        hidden = torch.zeros(len(batch.input_ids), self.encoder.model.backbone.width)
        return replace(batch, hidden=hidden, layers_done=self.cut)

    def run(self, batch: PackedBatch) -> None:
        """Encode a batch as the training does: forward, and backward if it trains."""
        model = self.encoder.model
        set_training_mode(model) if self.graph else model.eval()
        with torch.inference_mode(not self.graph), self.encoder.autocast():
            rows = self.encoder.encode(batch).float()
        if self.graph:
            rows.backward(torch.randn_like(rows))
        model.zero_grad(set_to_none=True)
        model.eval()

    def seconds(self, batch: PackedBatch) -> float:
        """Return the CPU seconds of a batch (on a GPU: wall time)."""
        return clocked(lambda: self.run(batch), self.encoder.hardware.device)[1].cpu

    def bytes_per_token(self) -> float:
        """Return the memory for activations per token of the budget, from a small batch."""
        batch = self.batch(WEIGHED_TOKENS, PLACES[0])
        self.run(batch)  # the first pass also fills caches
        used = weighed(lambda: self.run(batch), self.encoder.hardware.device)
        return GRAPH_BATCHES * max(1, used.grown_bytes) / sum(batch.lengths)


def _choose(trial: BudgetTrial, usual: int, layers_each: float) -> int:
    free = machine_memory(trial.encoder.hardware.device)[1]
    state = STATE_BYTES * count_parameters(trial.encoder.model)["trained"] * layers_each
    per_token = trial.bytes_per_token() * layers_each
    most = MEMORY_SHARE * max(0.0, free - state) / per_token
    start = usual
    while start > most and start > SMALLEST:
        start //= 2
    if start < usual:
        said = "token budget: %d (the usual %d would need about %.1f GB, and %.1f GB are free)"
        logger.info(said, start, usual, (usual * per_token + state) / 1e9, free / 1e9)
        return start
    small = trial.batch(SMALLEST, PLACES[1])
    affordable = SECONDS * sum(small.lengths) / max(trial.seconds(small) * layers_each, 1e-9)
    most = min(most, float(trial.tokens.sum()))
    budgets = [int(share * usual) for share in LADDER if share * usual <= most]
    while budgets and sum(budgets) > affordable:
        budgets.pop()
    rounds = int(affordable / sum(budgets)) if len(budgets) > 1 else 0
    speeds = {budget: _speed(trial, budget, PLACES[:rounds]) for budget in budgets if rounds}
    chosen = picked(speeds, usual)
    said = ", ".join(f"{speeds[budget]:,.0f} with {budget:,}" for budget in sorted(speeds))
    logger.info("token budget: %s (tokens per second: %s)", f"{chosen:,}", said or "not measured")
    return chosen


def _speed(trial: BudgetTrial, budget: int, places: Sequence[float]) -> float:
    batches = [trial.batch(budget, place) for place in places]
    seconds = sum(trial.seconds(batch) for batch in batches)
    return sum(sum(batch.lengths) for batch in batches) / max(seconds, 1e-9)


def picked(speeds: Mapping[int, float], usual: int) -> int:
    """Return the smallest budget near the fastest, or the usual budget if it is about as fast.

    Examples
    --------
    >>> picked({1024: 80.0, 2048: 100.0, 4096: 125.0, 8192: 127.0}, 2048)
    4096
    >>> picked({1024: 98.0, 2048: 100.0, 4096: 108.0}, 2048), picked({}, 2048)
    (2048, 2048)
    """
    fastest = max(speeds.values(), default=0.0)
    if usual not in speeds or fastest < GAIN * speeds[usual]:
        return usual
    return min(budget for budget, speed in speeds.items() if speed * NEAR >= fastest)
