"""Protein embeddings → logits of any number of examples, in blocks."""

import numpy as np
import torch

from peftide.encoding import expand_members
from peftide.engine.embedding import Embeddings
from peftide.errors import TrainingError
from peftide.model import ProteinModel
from peftide.types import FloatArray, IntArray

ROWS_PER_BLOCK = 2_048
"""Rows of every matrix product. The last block is filled up: sums in a matrix product depend on its
size, so only a fixed size gives a row the same bits alone and in any table."""


def answer_rows(
    model: ProteinModel, embeddings: Embeddings, members: IntArray, *, device: torch.device
) -> FloatArray:
    """Return the logits of examples whose proteins are embedded. Shape (R, K).

    Parameters
    ----------
    embeddings
        Embeddings of all proteins in `members`.
    members
        Proteins of each example. Shape (B, A).

    Raises
    ------
    TrainingError
        If an answer is not a finite number.
    """
    model.eval()
    members, repeats = distinct_members(members)
    places = expand_members(members, embeddings.offsets[:-1], np.diff(embeddings.offsets))
    blocks = []
    with torch.inference_mode():
        for block in places.split(ROWS_PER_BLOCK):
            filled = torch.cat([block, block[:1].expand(ROWS_PER_BLOCK - len(block), -1)])
            distinct, local = torch.unique(filled, return_inverse=True)
            rows = embeddings.rows[distinct].float().to(device)
            answers = model.answer(rows, local.to(device))
            blocks.append(answers[: len(block)].float().cpu())
    logits = torch.cat(blocks).numpy()
    if not np.isfinite(logits).all():
        raise TrainingError(
            "the model's answers are not finite numbers: its training diverged. "
            "Train again with a lower --learning-rate and --head-learning-rate (try a tenth) "
            "or with --precision fp32"
        )
    return logits if repeats is None else logits[repeats]


def distinct_members(members: IntArray) -> tuple[IntArray, IntArray | None]:
    """Return each unordered pair once, and for each row the index of its pair.

    A–B, B–A and repeated pairs thus get bit-identical answers; otherwise, sums inside a matrix
    product may depend on the row. Single proteins are returned unchanged.

    Examples
    --------
    >>> pairs, rows = distinct_members(np.array([[3, 1], [1, 3], [0, 2]]))
    >>> pairs.tolist(), rows.tolist()
    ([[0, 2], [1, 3]], [1, 1, 0])
    """
    if members.shape[1] == 1:
        return members, None
    pairs, rows = np.unique(np.sort(members, axis=1), axis=0, return_inverse=True)
    return pairs, rows.reshape(-1)
