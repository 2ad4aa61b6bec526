"""Rows of proteins → logits of any number of examples, in blocks."""

import numpy as np
import torch

from peftide.encoding import expand_members
from peftide.engine.embedding import Embeddings
from peftide.model import ProteinModel
from peftide.types import FloatArray, IntArray

ROWS_PER_BLOCK = 32_768


def answer_rows(
    model: ProteinModel, embeddings: Embeddings, members: IntArray, *, device: torch.device
) -> FloatArray:
    """Return the logits of examples whose proteins are embedded. Shape (R, K).

    Parameters
    ----------
    embeddings
        Rows of all proteins that `members` names.
    members
        Proteins of each example. Shape (B, A).
    """
    model.eval()
    places = expand_members(members, embeddings.offsets[:-1], np.diff(embeddings.offsets))
    blocks = []
    with torch.inference_mode():
        for block in places.split(ROWS_PER_BLOCK):
            distinct, local = torch.unique(block, return_inverse=True)
            rows = embeddings.rows[distinct].float().to(device)
            blocks.append(model.answer(rows, local.to(device)).float().cpu())
    return torch.cat(blocks).numpy()
