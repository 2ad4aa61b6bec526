"""Full fine-tuning: every weight of the encoder trains."""

from pathlib import Path

from safetensors.torch import load_model, save_model

from peftide.adapters.adapter import Adapter
from peftide.backbones import Backbone
from peftide.config import MethodOptions

WEIGHTS_FILE = "backbone.safetensors"
NEVER_TRAINED = ("contact_head",)


def apply_full(backbone: Backbone, _options: MethodOptions) -> None:
    """Unfreeze all weights that affect the embeddings (not ESM's contact head)."""
    for name, parameter in backbone.model.named_parameters():
        parameter.requires_grad_(not name.startswith(NEVER_TRAINED) and _is_used(backbone, name))


def _is_used(backbone: Backbone, name: str) -> bool:
    """Return False for the unused position table in some rotary checkpoints."""
    return not (backbone.max_residues is None and "position_embeddings" in name)


def save_full(backbone: Backbone, folder: Path) -> None:
    """Write all weights as safetensors; weights with two names (T5's embeddings) only once."""
    save_model(backbone.model, str(folder / WEIGHTS_FILE))


def load_full(backbone: Backbone, folder: Path) -> None:
    """Read all weights."""
    load_model(backbone.model, folder / WEIGHTS_FILE)


FULL = Adapter(
    summary="full fine-tuning",
    apply=apply_full,
    save=save_full,
    load=load_full,
    learning_rate=1e-4,
    takes_quantised=False,
)
