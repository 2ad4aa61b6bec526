"""A backbone, alone or from a trained model → an encoder of sequences or residues."""

from torch import nn

from peftide.backbones import Backbone
from peftide.encoding import ModelEncoder, checked_max_length
from peftide.hardware import Hardware
from peftide.model import Parts, ProteinModel
from peftide.pairing import Alone
from peftide.pooling import Pooling, ResidueRows, build_pooling
from peftide.predictor.predictor import Predictor
from peftide.scaling import Scaling


def backbone_encoder(
    backbone: Backbone,
    hardware: Hardware,
    *,
    max_length: int | None,
    pooling: Pooling | str = "mean",
    per_residue: bool = False,
) -> ModelEncoder:
    """Return an encoder of a backbone with a pooling and no head.

    Parameters
    ----------
    max_length
        Maximum number of residues; longer sequences are cropped. None crops nothing.
    pooling
        A ready pooling, or "mean" or "cls".
    per_residue
        One row per residue instead of one per sequence.

    Raises
    ------
    InputError
        If the backbone has fewer positions than `max_length` needs.
    """
    if isinstance(pooling, str):
        pooling = build_pooling(
            pooling,
            width=backbone.width,
            per_residue=per_residue,
            starts_with_token=backbone.has_summary_token,
        )
    parts = Parts(
        backbone=backbone,
        pooling=pooling,
        scaling=Scaling(backbone.width),
        pairing=Alone(),
        head=nn.Identity(),
    )
    model = ProteinModel(parts).to(hardware.device)
    limit = checked_max_length(backbone.max_residues, max_length)
    return ModelEncoder(model, hardware, max_length=limit)


def run_encoder(
    predictor: Predictor, *, pooling: str | None = None, per_residue: bool = False
) -> ModelEncoder:
    """Return an encoder of a trained model's backbone.

    Parameters
    ----------
    pooling
        Pooling that replaces the trained one; None keeps the trained one (residue tasks: mean).
    per_residue
        One row per residue instead of one per sequence.
    """
    encoder = predictor.encoder
    trained = encoder.model.pooling
    keeps = pooling is None and not per_residue and not isinstance(trained, ResidueRows)
    return backbone_encoder(
        encoder.model.backbone,
        encoder.hardware,
        max_length=encoder.max_length,
        pooling=trained if keeps else pooling or "mean",
        per_residue=per_residue,
    )
