"""Rows in; the same rows with hidden residues, and the true residues, out."""

from dataclasses import dataclass

import numpy as np

from peftide.pretraining.sampling import Rows
from peftide.types import FloatArray, IntArray

MASKED_SHARE, RANDOM_SHARE = 0.8, 0.1
"""Shares of the hidden residues shown as `<mask>` and as a random residue; the rest is unchanged
(Devlin et al. 2019, doi 10.18653/v1/N19-1423)."""


@dataclass(frozen=True)
class MaskedRows:
    """Rows with hidden residues.

    Attributes
    ----------
    input_ids
        Token ids that the model reads. Shape (B, T).
    places
        Hidden residues, as places in the flattened rows. Shape (M,).
    targets
        Their true token ids. Shape (M,).
    mask_share
        Share of `<mask>` among the tokens of each token's piece. Shape (B, T).
    """

    input_ids: IntArray
    places: IntArray
    targets: IntArray
    mask_share: FloatArray


@dataclass(frozen=True)
class Masking:
    """How residues are hidden.

    Attributes
    ----------
    fraction
        Share of all tokens that is hidden (fewer only if there are too few residues), at least
        one token.
    mean_span
        Mean length of a run of hidden residues; 1 hides single ones.
    mask_id
        Token id of `<mask>`.
    residue_ids
        Token ids that a hidden residue may be replaced with.
    """

    fraction: float
    mean_span: float
    mask_id: int
    residue_ids: IntArray

    def apply(self, rows: Rows, rng: np.random.Generator) -> MaskedRows:
        """Hide residues of a batch."""
        places = self._choose(rows, rng)
        targets = rows.input_ids.ravel()[places]
        shown = rows.input_ids.copy().ravel()
        kind = rng.random(len(places))
        masked = kind < MASKED_SHARE
        replaced = ~masked & (kind < MASKED_SHARE + RANDOM_SHARE)
        shown[places[masked]] = self.mask_id
        shown[places[replaced]] = rng.choice(self.residue_ids, int(replaced.sum()))
        input_ids = shown.reshape(rows.input_ids.shape)
        return MaskedRows(
            input_ids, places, targets, mask_share(input_ids, rows.piece, self.mask_id)
        )

    def _choose(self, rows: Rows, rng: np.random.Generator) -> IntArray:
        """Return the places to hide, in order: the share `fraction`, or all if they are fewer."""
        residues = np.flatnonzero(rows.is_residue)
        wanted = min(max(1, int(self.fraction * rows.input_ids.size)), len(residues))
        rank = rng.random(len(residues))
        if self.mean_span > 1:
            # the residues of a run share its rank, so whole runs are hidden
            begins = rng.random(len(residues)) < 1 / self.mean_span
            begins[0] = True
            runs = np.cumsum(begins) - 1
            rank = rng.random(runs[-1] + 1)[runs]
        chosen = np.argsort(rank, kind="stable")[:wanted]
        return np.sort(residues[chosen])


def mask_share(input_ids: IntArray, piece: IntArray, mask_id: int) -> FloatArray:
    """Return the share of `<mask>` in the piece of each token. Shape (B, T).

    Examples
    --------
    >>> mask_share(np.array([[0, 9, 2, 0, 5, 2]]), np.array([[0, 0, 0, 1, 1, 1]]), 9).round(2)
    array([[0.33, 0.33, 0.33, 0.  , 0.  , 0.  ]])
    """
    flat = piece.ravel()
    masked = np.bincount(flat, weights=(input_ids == mask_id).ravel())
    return (masked / np.maximum(1, np.bincount(flat)))[piece]
