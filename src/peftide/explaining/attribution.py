"""An explained protein → how much each residue contributes to its score.

Every method compares with hidden residues: a residue of positive attribution makes the score
higher than any residue (`X`) in its place would.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from peftide.backbones import LayeredBackbone, layers_of
from peftide.explaining.scoring import MASK, masked, scores
from peftide.explaining.subjects import Subject
from peftide.packing import PackedBatch
from peftide.predictor import Predictor
from peftide.types import FloatArray

STEPS = 16
"""Points on the path of integrated gradients."""


def occlusion(predictor: Predictor, subject: Subject) -> FloatArray:
    """Return how much the score falls when each residue alone is hidden. Shape (L,).

    References
    ----------
    Zeiler and Fergus 2014, doi 10.1007/978-3-319-10590-1_53, section 4.2.
    """
    sequence = subject.sequence
    hidden = [masked(sequence, [place]) for place in range(len(sequence))]
    whole, *each = scores(predictor, subject, [sequence, *hidden])
    return whole - np.array(each)


def integrated(predictor: Predictor, subject: Subject) -> FloatArray:
    """Return integrated gradients from the hidden sequence to the whole one. Shape (L,).

    Their sum is the score less the score of the hidden sequence, up to the error of 16 steps.

    References
    ----------
    Sundararajan et al. 2017, arXiv 1703.01365, equation 3.
    """
    return path_gradients(predictor, subject, (np.arange(STEPS) + 0.5) / STEPS)


ATTRIBUTIONS: dict[str, Callable[[Predictor, Subject], FloatArray]] = {
    "integrated": integrated,
    "occlusion": occlusion,
}
"""Name of a method → the contribution of each residue."""


def default_attribution(predictor: Predictor) -> str:
    """Return the best method that a model allows: a recurrent network has no layers to cut."""
    is_layered = isinstance(predictor.encoder.model.backbone, LayeredBackbone)
    return "integrated" if is_layered else "occlusion"


def path_gradients(predictor: Predictor, subject: Subject, shares: FloatArray) -> FloatArray:
    """Return mean gradient × (letter − hidden letter), both embedded, of each residue. Shape (L,).

    Parameters
    ----------
    shares
        Points on the straight path from the hidden sequence (0) to the whole one (1), at which the
        gradient is taken.
    """
    encoder, hardware = predictor.encoder, predictor.encoder.hardware
    backbone = layers_of(
        encoder.model.backbone, where="--attribution", fix="Choose --attribution occlusion"
    )
    hidden = MASK * len(subject.sequence)
    with hardware.computing(), torch.enable_grad(), encoder.autocast():
        encoder.model.eval()
        texts = (subject.sequence, hidden)
        batch, blank = (encoder.pack([text]).to(hardware.device) for text in texts)
        with torch.no_grad():
            end, start = (backbone.hidden_states(one, 0) for one in (batch, blank))
            others = [encoder.encode(encoder.pack([text])) for text in subject.others]
        total = torch.zeros_like(end, dtype=torch.float32)
        for share in shares.tolist():
            point = (start + share * (end - start)).detach().requires_grad_()
            score = _score(predictor, subject, replace(batch, hidden=point), others=others)
            total += torch.autograd.grad(score, point)[0].float()
        found = (total * (end - start).float()).sum(dim=1)[batch.residue_rows]
    return found.double().cpu().numpy() / len(shares)


def _score(
    predictor: Predictor, subject: Subject, batch: PackedBatch, *, others: list[Tensor]
) -> Float[Tensor, ""]:
    """Return the score of a sequence whose letters are embedded already, with its graph."""
    model = predictor.encoder.model
    rows = torch.cat([model.encode(batch).float(), *(other.float() for other in others)])
    members = torch.arange(len(rows), device=rows.device)[:, None]
    logits = model.answer(rows, members.T if others else members)
    return subject.target.scores(logits.float())[0]
