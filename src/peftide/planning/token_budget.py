"""A model on a device → how many tokens a packed batch should hold, measured in a second or two.

Large batches use matrix units better, small ones stay in a processor's cache, and memory must hold
them: where the best lies depends on the machine, the network and what of it trains.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from peftide.encoding import ModelEncoder
from peftide.hardware import GRAPH_BATCHES
from peftide.model import count_parameters
from peftide.packing import PackedBatch, token_budget_batches
from peftide.planning.cost import Seconds
from peftide.planning.passes import GRAPH_FACTOR, PassMeter
from peftide.planning.usage import clocked, machine_memory
from peftide.types import IntArray

logger = logging.getLogger(__name__)

LEAST_WORK = 4e12
"""Tokens × passes × parameters of a run that is worth a measurement: tens of seconds on a core."""
SECONDS = 2.0
"""That the measured batches may take together."""
LADDER = (1, 2, 0.5, 4)
"""Budgets that are compared, in usual ones; as many of the first as there is time for."""
PLACES = (0.5, 0.75, 0.25)
"""Where in the batches of all sequences, by length, those are taken that are measured."""
GAIN, NEAR = 1.2, 1.05
"""How much faster another budget must be to be taken, and which ones are as good as the fastest."""
SMALLEST = 256
MEMORY_SHARE = 0.5
"""Of what is free, for activations."""
STATE_BYTES = 16
"""Of each trained number: its gradient, two moments, and the best of all epochs."""
FORWARD_VECTORS = 16
"""Vectors of the width of the network, per token, that a pass without graph has at a time."""
MOST_SEQUENCES = 1000


def choose_token_budget(
    encoder: ModelEncoder,
    sequences: Sequence[str],
    *,
    epochs: int,
    cut: int,
    layers_each: float = 1,
) -> int:
    """Return the token budget of a training, and say why.

    It is the usual one (`encoder.hardware.max_tokens`), unless another is a fifth faster (less is
    noise, and another budget draws other random numbers for dropout) or memory does not hold it.
    Small runs are not measured.

    Parameters
    ----------
    sequences
        What is encoded; distinct.
    epochs
        How often, forward and backward; 0: once, without graph.
    cut
        Layers below what an epoch runs.
    layers_each
        Layers that one of the measured ones stands for.
    """
    usual, counts = encoder.hardware.max_tokens, encoder.tokens(sequences)
    work = float(counts.sum()) * max(1, GRAPH_FACTOR * epochs)
    parameters = count_parameters(encoder.model.backbone)["total"] * layers_each
    if work * parameters < LEAST_WORK:
        return usual
    some = np.argsort(counts, kind="stable")[:: -(-len(counts) // MOST_SEQUENCES)]
    devices = [encoder.hardware.device] if encoder.hardware.device.type == "cuda" else []
    with torch.random.fork_rng(devices):
        meter = BudgetMeter(encoder, [sequences[int(k)] for k in some], graph=epochs > 0, cut=cut)
        return _choose(meter, usual, layers_each=layers_each)


class BudgetMeter:
    """Runs packed batches of one size or another as a training would."""

    def __init__(
        self, encoder: ModelEncoder, sequences: Sequence[str], *, graph: bool, cut: int
    ) -> None:
        self.encoder, self.graph, self.cut = encoder, graph, cut
        self.passes = PassMeter(encoder, sequences, cut=cut)
        self.tokens = self.passes.tokens

    def batch(self, budget: int, place: float) -> PackedBatch:
        """Return the packed batch that stands at a place among all, the shortest first."""
        batches = token_budget_batches(self.tokens, budget)
        return self._entering(batches[int(place * len(batches))])

    def _entering(self, proteins: IntArray) -> PackedBatch:
        """Return proteins as a packed batch that enters above the cut, with any hidden states."""
        batch = self.passes.packed(proteins)
        if not self.cut:
            return batch
        width = self.encoder.model.backbone.width
        return replace(batch, hidden=torch.zeros(len(batch.input_ids), width), layers_done=self.cut)

    def seconds(self, batch: PackedBatch) -> Seconds:
        """Return how long a batch takes."""
        run = self.passes.graph if self.graph else self.passes.forward
        return clocked(lambda: run(batch), self.encoder.hardware.device)[1]

    def seconds_per_token(self) -> float:
        """Return what a token takes in a small batch; on a busy machine by the CPU's clock."""
        batch = self.batch(SMALLEST, PLACES[1])
        spent = self.seconds(batch)
        return min(spent.cpu, spent.wall) / sum(batch.lengths)

    def bytes_per_token(self, layers_each: float) -> float:
        """Return what one token of the budget takes while it is computed."""
        width = self.encoder.model.backbone.width
        if not self.graph:
            return 4.0 * FORWARD_VECTORS * width
        batch = self.batch(SMALLEST, PLACES[0])
        kept = kept_for_backward(lambda: self.passes.graph(batch)) / sum(batch.lengths)
        return GRAPH_BATCHES * kept * layers_each


def kept_for_backward(run: Callable[[], object]) -> int:
    """Return the bytes of all tensors that the graphs of a piece of work keep, each once.

    Examples
    --------
    >>> values = torch.ones(10, requires_grad=True)
    >>> kept_for_backward(lambda: (values.exp() * 2).sum().backward())
    40
    """
    found: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run()
    return sum(found.values())


def _choose(meter: BudgetMeter, usual: int, *, layers_each: float) -> int:
    free = machine_memory(meter.encoder.hardware.device)[1]
    state = STATE_BYTES * count_parameters(meter.encoder.model)["trained"] * layers_each
    per_token = meter.bytes_per_token(layers_each)
    most = MEMORY_SHARE * max(0.0, free - state) / per_token
    start = fitting(usual, most)
    if start < usual:
        logger.info(
            "token budget: %s, for the usual %s may need %.1f GB, and %.1f GB are free",
            *(f"{start:,}", f"{usual:,}", (usual * per_token + state) / 1e9, free / 1e9),
        )
        return start
    affordable = SECONDS / (meter.seconds_per_token() * layers_each)
    budgets, rounds = compared(
        usual, most=min(most, float(meter.tokens.sum())), affordable=affordable
    )
    speeds = measured(meter, budgets, rounds)
    chosen = picked(speeds, usual)
    _say(chosen, usual, speeds)
    return chosen


def fitting(usual: int, most: float) -> int:
    """Return the usual budget, halved until memory holds it.

    Examples
    --------
    >>> fitting(2048, 5000), fitting(2048, 700), fitting(2048, 3)
    (2048, 512, 256)
    """
    budget = usual
    while budget > most and budget > SMALLEST:
        budget //= 2
    return budget


def compared(usual: int, *, most: float, affordable: float) -> tuple[list[int], int]:
    """Return the budgets to compare, and of how many batches each.

    Parameters
    ----------
    most
        Tokens that memory holds, and that there are.
    affordable
        Tokens that there is time for.

    Examples
    --------
    >>> compared(2048, most=1e9, affordable=1e9)
    ([2048, 4096, 1024, 8192], 3)
    >>> compared(2048, most=5000, affordable=8000)
    ([2048, 4096, 1024], 1)
    >>> compared(2048, most=1e9, affordable=3000)
    ([], 0)
    """
    budgets = [int(share * usual) for share in LADDER if share * usual <= most]
    while budgets and sum(budgets) > affordable:
        budgets.pop()
    if len(budgets) < 2:
        return [], 0
    return budgets, min(len(PLACES), int(affordable / sum(budgets)))


def measured(meter: BudgetMeter, budgets: Sequence[int], rounds: int) -> dict[int, float]:
    """Return tokens per second under each budget: of the processor, or on a GPU by the clock."""
    tokens, seconds = dict.fromkeys(budgets, 0), dict.fromkeys(budgets, 0.0)
    for place in PLACES[:rounds]:
        for budget in budgets:
            batch = meter.batch(budget, place)
            tokens[budget] += sum(batch.lengths)
            seconds[budget] += meter.seconds(batch).cpu
    return {budget: tokens[budget] / max(seconds[budget], 1e-9) for budget in budgets}


def picked(speeds: Mapping[int, float], usual: int) -> int:
    """Return the smallest budget near the fastest; the usual one, if that is about as fast.

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


def _say(chosen: int, usual: int, speeds: Mapping[int, float]) -> None:
    said = ", ".join(f"{speeds[budget]:,.0f} with {budget:,}" for budget in sorted(speeds))
    logger.info(
        "token budget: %s (%s)",
        f"{chosen:,}",
        f"tokens per second measured: {said}" if said else "the usual one: too slow to measure",
    )
