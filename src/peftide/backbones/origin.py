"""The record of a backbone: its name and the hashes by which it is known again. No torch."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Origin:
    """Where a backbone comes from.

    Attributes
    ----------
    name
        As the user wrote it: folder, hub id, alias or `random:<alias>`.
    model_type
        Key of `BACKBONES`.
    revision
        Commit of a hub checkpoint, else None.
    weights_sha256
        Hash of all weights.
    vocabulary_sha256
        Hash of the token ids that sequences become.
    settings
        The configuration, without settings that change no embedding.
    licence
        Licence of the weights, if peftide knows it.
    """

    name: str
    model_type: str
    revision: str | None
    weights_sha256: str
    vocabulary_sha256: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    licence: str | None = None

    @property
    def reading(self) -> str:
        """Vocabulary and configuration as one text, for the keys of stored embeddings."""
        return self.vocabulary_sha256 + json.dumps(self.settings, sort_keys=True)

    @property
    def is_random(self) -> bool:
        """Whether the weights were never trained."""
        return self.name.startswith("random:")
