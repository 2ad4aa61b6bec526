"""Sequences in the place of an explained protein → their scores."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from peftide.explaining.subjects import Subject
from peftide.predictor import Predictor
from peftide.types import FloatArray

MASK = "X"
"""Letter that stands for any residue: it hides one."""
RESIDUES_PER_BLOCK = 50_000
"""Residues whose embeddings are in memory at a time, if each is a row of its own."""


def scores(
    predictor: Predictor, subject: Subject, sequences: Sequence[str], *, store: Path | None = None
) -> FloatArray:
    """Return the score of each sequence in the place of the subject's. Shape (P,).

    Parameters
    ----------
    sequences
        Sequences of the subject's length.
    store
        Folder for the encoded sequences; a repeated call resumes from the last save.
    """
    found = [
        _block_scores(predictor, subject, block, store=store)
        for block in blocks(predictor, sequences)
    ]
    return np.concatenate(found) if found else np.empty(0)


def blocks(predictor: Predictor, sequences: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield all sequences at once, or in blocks if each residue has a row."""
    size = len(sequences)
    if predictor.answering.task.level == "residue":
        size = max(1, RESIDUES_PER_BLOCK // len(sequences[0]))
    for start in range(0, len(sequences), max(size, 1)):
        yield sequences[start : start + size]


def _block_scores(
    predictor: Predictor, subject: Subject, sequences: Sequence[str], *, store: Path | None
) -> FloatArray:
    count = len(sequences)
    embeddings = predictor.encode([*sequences, *subject.others], store=store)
    members = np.arange(count)[:, None]
    if subject.others:
        members = np.hstack([members, np.full((count, 1), count)])
    logits = predictor.answer(embeddings, members)
    return subject.target.scores(torch.from_numpy(logits)).double().numpy()


def masked(sequence: str, places: Sequence[int]) -> str:
    """Return a sequence in which some residues (0-based) are hidden.

    Examples
    --------
    >>> masked("MKVL", [0, 2])
    'XKXL'
    """
    hidden = {*places}
    return "".join(MASK if place in hidden else letter for place, letter in enumerate(sequence))
