"""The whole chain of a model, from packed sequences to logits.

::

    sequences a, b ──> backbone (+ adapter) ──> pooling ──> scaling ──┐
                                                                      ├─> pairing ─> head ─> logits
    every distinct protein goes through the left half once ───────────┘
"""

from dataclasses import dataclass

from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.backbones import Backbone
from peftide.backbones.quantised import whole_size
from peftide.packing import PackedBatch
from peftide.pairing import Pairing
from peftide.parameters import trained_parameters
from peftide.pooling import Pooling
from peftide.scaling import Scaling
from peftide.variants.rows import VariantRows


@dataclass(frozen=True)
class Parts:
    """The ready-made parts of a model, in the order in which data flows through them."""

    backbone: Backbone
    pooling: Pooling | VariantRows
    scaling: Scaling
    pairing: Pairing
    head: nn.Module


class ProteinModel(nn.Module):
    """A backbone with everything that turns its residue embeddings into an answer."""

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.backbone = parts.backbone
        self.pooling = parts.pooling
        self.scaling = parts.scaling
        self.pairing = parts.pairing
        self.head = parts.head

    @property
    def width(self) -> int:
        """The number of columns of the rows that `encode` returns."""
        pooling = self.pooling
        if isinstance(pooling, VariantRows):
            return pooling.width
        return self.backbone.width * pooling.vectors

    def forward(self, batch: PackedBatch, members: Int[Tensor, "B A"]) -> Float[Tensor, "B K"]:
        """Return the logits of examples whose proteins are in one packed batch."""
        pooled = self.encode(batch)
        return self.answer(pooled, members)

    def encode(self, batch: PackedBatch) -> Float[Tensor, "R D"]:
        """Return one row per protein (or residue): the expensive half."""
        if isinstance(self.pooling, VariantRows) and not self.pooling.compares:
            return self.pooling.letters(batch)
        residue_embeddings = self.backbone(batch)
        return self.pooling(residue_embeddings, batch)

    def answer(
        self, rows: Float[Tensor, "R D"], members: Int[Tensor, "B A"]
    ) -> Float[Tensor, "B K"]:
        """Return the logits of examples, given the rows of their proteins: the cheap half."""
        scaled = self.scaling(rows)
        features = self.pairing(scaled, members)
        return self.head(features)


def count_parameters(model: nn.Module) -> dict[str, int]:
    """Return the numbers of trained and of all parameters."""
    return {
        "trained": sum(p.numel() for p in trained_parameters(model).values()),
        "total": sum(whole_size(p) for p in model.parameters()),
    }
