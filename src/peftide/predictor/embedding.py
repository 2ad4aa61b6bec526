"""A backbone, alone or from a trained model → an encoder of sequences or residues."""

from pathlib import Path

from torch import nn

from peftide.backbones import Backbone
from peftide.backbones.int8_products import hold_frozen
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.config import EmbedConfig
from peftide.config.groups import DEFAULT_BACKBONE
from peftide.encoding import ModelEncoder, backbone_findings, checked_max_length
from peftide.hardware import Hardware, choose_hardware
from peftide.model import Parts, ProteinModel
from peftide.pairing import Alone
from peftide.pooling import Pooling, ResidueRows, build_pooling
from peftide.predictor.predictor import Predictor, opened
from peftide.scaling import Scaling
from peftide.sequences import Proteins
from peftide.sequences.findings import Finding, say_findings
from peftide.types import FloatArray, IntArray


def embed_proteins(
    config: EmbedConfig, proteins: Proteins, *, findings: tuple[Finding, ...], store: Path
) -> dict[str, FloatArray]:
    """Return id → vector (D,), or with `per_residue` id → matrix (L, D).

    Parameters
    ----------
    findings
        Findings of reading the proteins; they are said with the findings of the backbone.
    store
        Folder for encoded proteins, from which a repeated call goes on.
    """
    encoder = build_encoder(config)
    backbone, max_length = encoder.model.backbone, encoder.max_length
    say_findings(findings + backbone_findings(proteins, backbone, max_length=max_length))
    with encoder.hardware.computing():
        embeddings = encoder.embed(proteins.sequences, store=store, exact=True, ids=proteins.ids)
    rows = embeddings.rows.numpy()
    if encoder.every_layer:
        rows = rows.reshape(len(rows), -1, encoder.model.width)
    return _by_id(rows, embeddings.offsets, proteins.ids, per_residue=config.per_residue)


def build_encoder(config: EmbedConfig) -> ModelEncoder:
    """Return the encoder of a backbone, or of the adapted backbone of a run."""
    encoder = _one_layer_encoder(config)
    encoder.every_layer = config.layers == "all"
    return encoder


def _one_layer_encoder(config: EmbedConfig) -> ModelEncoder:
    hardware = choose_hardware(config)
    if config.run is not None:
        predictor = opened(
            config.run, hardware, allow_bin=config.allow_bin, backbone=config.backbone
        )
        return run_encoder(predictor, pooling=config.pooling, per_residue=config.per_residue)
    options = LoadOptions(
        offline=config.offline,
        allow_bin=config.allow_bin,
        layer=None if config.layer == "last" else int(config.layer),
        dtype=hardware.dtype,
    )
    backbone = load_backbone(config.backbone or DEFAULT_BACKBONE, options=options)
    return backbone_encoder(
        backbone,
        hardware,
        max_length=default_length(config, backbone),
        pooling=config.pooling or "mean",
        per_residue=config.per_residue,
    )


def default_length(config: EmbedConfig, backbone: Backbone) -> int | None:
    """Return the crop; the default is lowered to the positions of the backbone."""
    default, positions = EmbedConfig.max_length, backbone.max_residues
    if default is None or positions is None or config.max_length != default:
        return config.max_length
    return min(default, positions)


def _by_id(
    rows: FloatArray, offsets: IntArray, ids: tuple[str, ...], *, per_residue: bool
) -> dict[str, FloatArray]:
    """Return the rows of each protein under its id."""
    spans = zip(offsets[:-1], offsets[1:], strict=True)
    blocks = (rows[start:end] for start, end in spans)
    return {
        identifier: block if per_residue else block[0]
        for identifier, block in zip(ids, blocks, strict=True)
    }


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
        A ready pooling, or "mean", "cls", "ends" or "window".
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
        scaling=Scaling(backbone.width * pooling.vectors),
        pairing=Alone(),
        head=nn.Identity(),
    )
    hold_frozen(backbone, hardware.precision)
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
        Pooling that replaces the trained one. None keeps a trained pooling that gives one vector
        per sequence, else takes the mean over residues.
    per_residue
        One row per residue instead of one per sequence.
    """
    encoder = predictor.encoder
    trained = encoder.model.pooling
    if pooling is None and isinstance(trained, Pooling) and not isinstance(trained, ResidueRows):
        kept = trained
    else:
        kept = pooling or "mean"
    return backbone_encoder(
        encoder.model.backbone,
        encoder.hardware,
        max_length=encoder.max_length,
        pooling=ResidueRows() if per_residue else kept,
    )
