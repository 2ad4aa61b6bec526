"""Samples that represent a whole training: encodings, batches, rows to score."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from peftide.encoding import ModelEncoder
from peftide.engine.blocks import Batch, sides
from peftide.engine.embedding import Embeddings
from peftide.packing import token_budget_batches
from peftide.sequences.dataset import keep_used_proteins, select_rows
from peftide.sequences.mutants import LETTERS
from peftide.tasks import Targets
from peftide.training.problem import Problem
from peftide.training.usage import Seconds
from peftide.types import FloatArray, IntArray

FEWEST_EXAMPLES, FEWEST_RESIDUES = 10, 8


def work_of(encoder: ModelEncoder, sequences: Sequence[str]) -> FloatArray:
    """Return the relative number of operations of each sequence in a layer. Shape (P,).

    Matrices cost 24·T·D² operations per layer, and attention costs 4·T²·D.
    """
    counts = encoder.tokens(sequences).astype(np.float64)
    return counts * (6 * encoder.model.backbone.width + counts)


def sampled_sequences(encoder: ModelEncoder, sequences: Sequence[str], share: float) -> list[str]:
    """Return the sequences of evenly spaced packed batches, including the longest batch.

    Parameters
    ----------
    share
        Share of all batches. If it is less than one batch, a part of the longest batch; for a
        recurrent network, the beginning of the batch in the middle, with made-up residues.
    """
    tokens = encoder.tokens(sequences)
    batches = token_budget_batches(tokens, encoder.hardware.max_tokens)
    wanted = min(len(batches), share * len(batches))
    if wanted < 1 and encoder.model.backbone.is_recurrent:
        return beginnings(tokens[batches[len(batches) // 2]], wanted)
    places = np.linspace(len(batches) - 1, 0, max(1, int(wanted))).round().astype(int)
    chosen = np.concatenate([batches[place] for place in np.unique(places)])
    few = max(1, round(wanted * len(chosen))) if wanted < 1 else len(chosen)
    return [sequences[int(k)] for k in chosen[-few:]]


def beginnings(lengths: IntArray, share: float) -> list[str]:
    """Return made-up sequences as long as a share of the longest one.

    A time step of a recurrent network costs the same wherever it is, but it depends on the number
    of sequences that have it. Made-up residues keep the beginnings of similar proteins distinct.

    Examples
    --------
    >>> [len(text) for text in beginnings(np.array([100, 80, 10]), 0.2)]
    [20, 20, 10]
    """
    rng, most = np.random.default_rng(0), max(FEWEST_RESIDUES, round(share * lengths.max()))
    made = ("".join(rng.choice(list(LETTERS), min(int(length), most))) for length in lengths)
    return list(dict.fromkeys(made))


def shortened(batch: Batch, members: IntArray, *, work: FloatArray, most: float) -> Batch:
    """Return a part of a batch whose encoded proteins need at most `most` work.

    Pairs that share proteins stay together, and a block of proteins keeps all pairs of the rest.

    Examples
    --------
    >>> pairs = np.array([[0, 1], [2, 3], [1, 0]])
    >>> shortened(Batch(np.arange(3)), pairs, work=np.ones(4), most=2).examples.tolist()
    [0, 2]
    """
    if batch.proteins is not None:
        few = max(1, int(np.searchsorted(np.cumsum(work[batch.proteins]), most, side="right")))
        proteins = batch.proteins[:few]
        return Batch(sides(np.unique(batch.examples), members, proteins)[0], proteins)
    ordered = batch.examples[np.argsort(members[batch.examples].max(axis=1), kind="stable")]
    _, firsts = np.unique(members[ordered], return_index=True)
    new = np.zeros(members[ordered].size)
    new[firsts] = work[members[ordered].ravel()[firsts]]
    total = np.cumsum(new.reshape(len(ordered), -1).sum(axis=1))
    return Batch(ordered[: max(1, int(np.searchsorted(total, most, side="right")))])


def random_rows(encoder: ModelEncoder, sequences: Sequence[str]) -> Embeddings:
    """Return made-up protein embeddings: overlapping windows of one random vector."""
    counts, width = encoder.rows(sequences), encoder.model.width
    offsets = np.concatenate([[0], np.cumsum(counts)])
    return Embeddings(torch.randn(int(offsets[-1]) + width - 1).unfold(0, width, 1), offsets)


def some_of(problem: Problem, share: float) -> Problem:
    """Return a problem with a share of the rows of each part, evenly spaced.

    A part keeps at least `FEWEST_EXAMPLES` examples, or all examples if it has fewer.
    """
    parts, targets = {}, {}
    for part, examples in problem.dataset.parts.items():
        count = len(examples)
        wanted = min(count, max(FEWEST_EXAMPLES, round(count * share)))
        chosen = np.unique(np.linspace(0, count - 1, wanted).astype(np.int64))
        parts[part] = select_rows(examples, chosen)
        targets[part] = _some_targets(problem.targets[part], chosen)
    dataset = keep_used_proteins(replace(problem.dataset, parts=parts))
    return replace(problem, dataset=dataset, targets=targets)


def _some_targets(targets: Targets, examples: IntArray) -> Targets:
    rows, counts = targets.rows(examples), np.diff(targets.offsets)[examples]
    return replace(
        targets,
        values=targets.values[rows],
        counted=targets.counted[rows],
        offsets=np.concatenate([[0], np.cumsum(counts)]),
    )


def evenly_spaced(ordered: Sequence[str], count: int) -> list[str]:
    """Return the sequence in the middle of each of equal parts.

    Examples
    --------
    >>> evenly_spaced(["A", "AC", "ACD", "ACDE"], 2)
    ['AC', 'ACDE']
    """
    places = (2 * np.arange(count) + 1) * len(ordered) // (2 * count)
    return [ordered[int(place)] for place in places]


def extrapolated(measured: Sequence[tuple[float, Seconds]], size: float) -> Seconds:
    """Return the time for a size, on the line through the first and the last measured one.

    Examples
    --------
    >>> extrapolated([(10, Seconds(1.0, 2.0)), (20, Seconds(1.5, 3.0))], 100)
    Seconds(cpu=5.5, wall=11.0)
    >>> extrapolated([], 0)
    Seconds(cpu=0.0, wall=0.0)
    """
    if not measured:
        return Seconds()
    (first, begun), (last, ended) = measured[0], measured[-1]
    beyond = (size - last) / max(1.0, last - first)
    return Seconds(
        ended.cpu + beyond * max(0.0, ended.cpu - begun.cpu),
        ended.wall + beyond * max(0.0, ended.wall - begun.wall),
    )
