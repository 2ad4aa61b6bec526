"""Held-out perplexities of residue counts, to compare a model with."""

import numpy as np

from peftide.pretraining.corpus import Corpus
from peftide.pretraining.perplexity import Surprise
from peftide.types import FloatArray, IntArray

PRIOR_COUNT = 10.0
"""Pseudocounts of the residue frequencies in each context of the 3-gram model."""
CHUNK = 2_000_000


def reference_surprises(
    corpus: Corpus, *, training: IntArray, held_out: IntArray, max_length: int
) -> dict[str, Surprise]:
    """Score held-out residues by counts over the training sequences.

    Returns
    -------
    `uniform` over the 20 amino acids, `residue_frequencies`, `trigram` (from the two residues
    before), and `neighbours` (from the residue on each side, which a masked language model sees
    too).
    """
    trigrams, counts = count_residues(corpus, training)
    frequencies = counts / counts.sum()
    before = _smoothed(trigrams, frequencies)
    between = _smoothed(trigrams.transpose(0, 2, 1), frequencies)
    scores: dict[str, list[float]] = {
        name: [] for name in ("uniform", "residue_frequencies", "trigram", "neighbours")
    }
    residues = []
    for index in held_out:
        letters = corpus.residues(int(index))[:max_length].astype(np.int64)
        residues.append(len(letters))
        alone = -np.log(np.maximum(frequencies, 1e-12))[letters]
        first, middle, last = letters[:-2], letters[1:-1], letters[2:]
        scores["uniform"].append(len(letters) * float(np.log(20)))
        scores["residue_frequencies"].append(float(alone.sum()))
        in_context = -np.log(before[first, middle, last]).sum()
        scores["trigram"].append(float(in_context + alone[:2].sum()))
        in_between = -np.log(between[first, last, middle]).sum()
        scores["neighbours"].append(float(in_between + alone.sum() - alone[1:-1].sum()))
    return {name: Surprise(np.array(nats), np.array(residues)) for name, nats in scores.items()}


def count_residues(corpus: Corpus, sequences: IntArray) -> tuple[FloatArray, FloatArray]:
    """Count token ids inside sequences.

    Returns
    -------
    Counts of three in a row, shape (V, V, V), and of each, shape (V,).
    """
    size = int(corpus.tokens.max()) + 1
    trigrams, singles = np.zeros(size**3), np.zeros(size)
    inside = np.zeros(len(corpus.lengths), dtype=bool)
    inside[sequences] = True
    bounds = np.searchsorted(corpus.offsets, np.arange(0, corpus.offsets[-1], CHUNK))
    bounds = np.unique(np.append(bounds, len(corpus.lengths)))
    for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
        block = corpus.tokens[corpus.offsets[start] : corpus.offsets[stop]].astype(np.int64)
        owner = np.repeat(np.arange(start, stop), corpus.lengths[start:stop])
        whole = (owner[:-2] == owner[2:]) & inside[owner[:-2]]
        code = (block[:-2] * size + block[1:-1]) * size + block[2:]
        trigrams += np.bincount(code[whole], minlength=size**3)
        singles += np.bincount(block[inside[owner]], minlength=size)
    return trigrams.reshape(size, size, size), singles


def _smoothed(counts: FloatArray, frequencies: FloatArray) -> FloatArray:
    """Return p(last | first two), shrunk towards the frequencies in rare contexts."""
    prior = PRIOR_COUNT * np.maximum(frequencies, 1e-12)
    return (counts + prior) / (counts.sum(axis=2, keepdims=True) + prior.sum())
