"""A frozen backbone: only the head (and a learned pooling) trains."""

from pathlib import Path

from peftide.adapters.adapter import Adapter
from peftide.backbones import Backbone
from peftide.config import MethodOptions


def apply_head(backbone: Backbone, _options: MethodOptions) -> None:
    """Leave the backbone frozen."""
    backbone.model.requires_grad_(False)


def keep(_backbone: Backbone, _folder: Path) -> None:
    """Write and read nothing, because the backbone has not changed."""


HEAD = Adapter(
    summary="frozen backbone, trained head",
    apply=apply_head,
    save=keep,
    load=keep,
    learning_rate=1e-3,
)
