"""The options of an embedding → an encoder for the shards of a folder, in any process."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from peftide.config import EmbedConfig
from peftide.encoding import ModelEncoder, backbone_findings
from peftide.predictor.embedding import build_encoder
from peftide.sequences import Finding, Proteins
from peftide.shards.filling import fill_shard
from peftide.shards.folder import ModelCard, open_folder
from peftide.shards.parquet import ShardForm
from peftide.types import FloatArray

ROW_TYPES = {"float16": torch.float16, "float32": torch.float32}


@dataclass(frozen=True)
class FolderEncoder:
    """An encoder with the form of the vectors that it makes.

    Attributes
    ----------
    encoder
        The model on its device.
    form
        Columns of the shards.
    """

    encoder: ModelEncoder
    form: ShardForm

    def card(self, layer: int | str) -> ModelCard:
        """Return the record of the model, which was cut at a layer."""
        model = self.encoder.model
        settings = {
            "backbone": model.backbone.origin.name,
            "weights_sha256": model.backbone.origin.weights_sha256,
            "layer": layer,
            "pooling": type(model.pooling).__name__,
            "max_length": self.encoder.max_length,
            "precision": self.encoder.hardware.precision,
        }
        return ModelCard(self.encoder.fingerprint(), settings)

    def vectors(
        self, sequences: Sequence[str], ids: Sequence[str]
    ) -> Iterator[tuple[int, FloatArray]]:
        """Yield place and vectors of each sequence; sequences come sorted by length."""
        counts = self.encoder.rows(sequences)
        row_type = ROW_TYPES[self.form.number_type]
        for batch, rows in self.encoder.batches(sequences, row_type=row_type, ids=ids):
            blocks = rows.to(row_type).split(counts[batch].tolist())
            for place, block in zip(batch.tolist(), blocks, strict=True):
                yield place, block.numpy()

    def findings(self, proteins: Proteins) -> tuple[Finding, ...]:
        """Count cropped sequences, and those with unknown letters."""
        return backbone_findings(
            proteins, self.encoder.model.backbone, max_length=self.encoder.max_length
        )


def folder_encoder(config: EmbedConfig) -> FolderEncoder:
    """Open the model of an embedding."""
    encoder = build_encoder(config)
    form = ShardForm(encoder.model.width, config.number_type, config.per_residue)
    return FolderEncoder(encoder, form)


class ShardMaker:
    """Makes shards of one folder in a separate process.

    Parameters
    ----------
    texts
        Folder of the sorted sequences.
    """

    def __init__(self, config: EmbedConfig, texts: Path) -> None:
        self.out, self.texts, self.layer = config.out, texts, config.layer
        self.encoder = folder_encoder(config)

    def describe(self) -> tuple[ModelCard, ShardForm]:
        """Return the record of the model, and the form of its vectors."""
        return self.encoder.card(self.layer), self.encoder.form

    def make(self, number: int) -> None:
        """Make a shard, unless it is there."""
        with self.encoder.encoder.hardware.computing():
            fill_shard(number, open_folder(self.out), self.encoder, texts=self.texts)
