"""Masked rows in; the masked, the relatives and the profiles loss out."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from peftide.backbones.esm_masked import EsmMaskedLM
from peftide.pretraining.attention import ROW_ATTENTION, register_row_attention
from peftide.pretraining.masking import MaskedRows
from peftide.pretraining.sampling import Rows
from peftide.tokens import AMINO_ACIDS
from peftide.types import FloatArray, IntArray

TEMPERATURE = 0.1
"""Temperature: the relatives loss divides cosine similarities by it."""
LOSSES = ("masked", "relatives", "profiles")
NEVER = -1e4
"""Similarity of two rows that are not compared."""


@dataclass(frozen=True)
class Batch:
    """The tensors of one step. Shapes never change, so that the model is compiled once.

    Attributes
    ----------
    input_ids, position_ids, piece, is_residue, mask_share
        As in `Rows` and `MaskedRows`. Shape (B, T).
    places, targets
        Hidden residues and their true token ids. Shape (M,).
    kin
        Cluster of the first sequence in each row. Shape (B,).
    profile
        Counts of each amino acid at each place in relatives. Shape (B, T, 20), or
        (B, 0, 20) without profiles.
    """

    input_ids: Int[Tensor, "B T"]
    position_ids: Int[Tensor, "B T"]
    piece: Int[Tensor, "B T"]
    is_residue: Bool[Tensor, "B T"]
    mask_share: Float[Tensor, "B T"]
    places: Int[Tensor, " M"]
    targets: Int[Tensor, " M"]
    kin: Int[Tensor, " B"]
    profile: Float[Tensor, "B S 20"]

    def to(self, device: torch.device) -> "Batch":
        """Return the batch on a device."""
        moved = {k: v.to(device, non_blocking=True) for k, v in vars(self).items()}
        return Batch(**moved)


def as_batch(
    rows: Rows, masked: MaskedRows, kin: IntArray, *, profile: FloatArray | None = None
) -> Batch:
    """Return rows, their masks and their profiles, if any, as tensors."""
    if profile is None:
        profile = np.zeros((len(kin), 0, len(AMINO_ACIDS)), dtype=np.float32)
    return Batch(
        input_ids=torch.from_numpy(masked.input_ids),
        position_ids=torch.from_numpy(rows.position_ids),
        piece=torch.from_numpy(rows.piece),
        is_residue=torch.from_numpy(rows.is_residue),
        mask_share=torch.from_numpy(masked.mask_share).float(),
        places=torch.from_numpy(masked.places),
        targets=torch.from_numpy(masked.targets),
        kin=torch.from_numpy(kin),
        profile=torch.from_numpy(profile),
    )


class PretrainingModel(nn.Module):
    """A masked language model and its losses.

    Parameters
    ----------
    language_model
        The network that is trained and saved.
    relatives
        Whether the relatives loss is computed.
    profiles
        Whether the profiles loss is computed, by a linear layer that is not saved.
    """

    def __init__(
        self, language_model: EsmMaskedLM, *, relatives: bool = False, profiles: bool = False
    ) -> None:
        super().__init__()
        register_row_attention()
        language_model.model.set_attn_implementation(ROW_ATTENTION)
        self.language_model = language_model
        self.relatives = relatives
        width = language_model.model.config.hidden_size
        self.profile_head = nn.Linear(width, len(AMINO_ACIDS)) if profiles else None

    def forward(self, batch: Batch) -> Float[Tensor, "3"]:
        """Return the losses of `LOSSES`, in nats; a loss that is not computed is 0."""
        hidden = self.hidden(batch)
        logits = self.language_model.predict(hidden.flatten(0, 1)[batch.places])
        masked = functional.cross_entropy(logits.float(), batch.targets)
        relatives = profiles = torch.zeros_like(masked)
        if self.relatives:
            relatives = relatives_loss(first_piece_means(hidden, batch), batch.kin)
        if self.profile_head is not None:
            profiles = profiles_loss(self.profile_head(hidden).float(), batch.profile)
        return torch.stack([masked, relatives, profiles])

    def hidden(self, batch: Batch) -> Float[Tensor, "B T D"]:
        """Return the last hidden states."""
        embedded = self.language_model.embed(batch.input_ids, batch.position_ids, batch.mask_share)
        same_piece = batch.piece[:, None, :, None] == batch.piece[:, None, None, :]
        return self.language_model.encode(embedded, batch.position_ids, same_piece=same_piece)


def first_piece_means(hidden: Float[Tensor, "B T D"], batch: Batch) -> Float[Tensor, "B D"]:
    """Return the mean over the residues of the first piece of each row."""
    counted = (batch.is_residue & (batch.piece == batch.piece[:, :1])).to(hidden.dtype)
    return (hidden * counted[..., None]).sum(1) / counted.sum(1, keepdim=True)


def relatives_loss(means: Float[Tensor, "B D"], kin: Int[Tensor, " B"]) -> Float[Tensor, ""]:
    """Return the loss of finding the relative of each row, its neighbour, among all rows.

    It is the cross-entropy over cosine similarities of centred mean embeddings. Other rows of the
    same cluster are left out.

    References
    ----------
    Chen et al. 2020, arXiv 2002.05709, equation 1 (NT-Xent).
    """
    rows = torch.arange(len(kin), device=kin.device)
    partner = rows ^ 1
    directions = functional.normalize((means - means.mean(0)).float(), dim=-1)
    similarity = directions @ directions.T / TEMPERATURE
    same_cluster = (kin[:, None] == kin[None, :]) & (partner[:, None] != rows[None, :])
    return functional.cross_entropy(similarity.masked_fill(same_cluster, NEVER), partner)


def profiles_loss(
    logits: Float[Tensor, "B T 20"], counts: Float[Tensor, "B T 20"]
) -> Float[Tensor, ""]:
    """Return the cross-entropy of the residues of relatives, mean over places that have any.

    References
    ----------
    Sturmfels et al. 2020, arXiv 2012.00195 (profile prediction).
    """
    depth = counts.sum(-1)
    surprise = -(counts * functional.log_softmax(logits, dim=-1)).sum(-1) / depth.clamp(min=1)
    return surprise.sum() / (depth > 0).sum().clamp(min=1)
