"""An encoder with products in 8 bits, and some sequences → an error if its rows differ too much."""

import functools
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from peftide.backbones.int8_products import FIX, without_int8
from peftide.engine.embedding import Encoder
from peftide.errors import InputError
from peftide.quantities import count_of

SMALLEST_COSINE = 0.999
"""Cosine that the rows of each sequence, end to end, must reach with those in bf16."""
SEQUENCES = 8


def require_close(encoder: Encoder, model: nn.Module, sequences: Sequence[str]) -> None:
    """Encode a few sequences, spread evenly by length, in 8 bits and in bf16, and compare.

    Parameters
    ----------
    encoder
        Packs and encodes with the model.
    model
        The model, or any module around its matrices.
    sequences
        The sequences that will be encoded; not empty.

    Raises
    ------
    InputError
        If the cosine of a sequence is too low.
    """
    ordered = sorted(set(sequences), key=len)
    places = np.linspace(0, len(ordered) - 1, min(SEQUENCES, len(ordered))).round().astype(int)
    chosen = [ordered[place] for place in places]
    rounded = [_numbers(encoder, text) for text in chosen]
    with without_int8(model):
        exact = [_numbers(encoder, text) for text in chosen]
    cosines = map(functools.partial(functional.cosine_similarity, dim=0), rounded, exact)
    lowest = min(map(float, cosines))
    if not lowest < SMALLEST_COSINE:  # NaN has its own error
        return
    raise InputError(
        f"received int8, but the vectors of {count_of(len(chosen), 'sequence')} of yours come out "
        f"too different from those in bf16 (lowest cosine {lowest:.4f})",
        expected=f"a cosine of {SMALLEST_COSINE} or more",
        where="--precision",
        fix=FIX,
    )


def _numbers(encoder: Encoder, sequence: str) -> Float[Tensor, " numbers"]:
    with torch.inference_mode(), encoder.autocast():
        return encoder.encode(encoder.pack([sequence])).float().flatten()
