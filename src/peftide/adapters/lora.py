"""LoRA (Hu et al. 2022, arXiv 2106.09685), by `peft`.

::

    x ──────────── W (frozen) ────────────┐
      └─ dropout ─ A (r×D) ─ B (D×r) ─ ·α/r ─┴─ +        B starts at 0: nothing changes at first
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model

from peftide.adapters.adapter import Adapter, AdapterOptions
from peftide.adapters.targets import module_names
from peftide.backbones import Backbone

ADAPTER_FOLDER = "adapter"


def apply_lora(backbone: Backbone, options: AdapterOptions) -> None:
    """Put low-rank updates beside the named attention matrices; only these train.

    Raises
    ------
    InputError
        If the rank is not positive or the targets do not exist.
    """
    config = LoraConfig(
        r=options.lora_r,
        lora_alpha=options.lora_alpha,
        lora_dropout=options.lora_dropout,
        target_modules=module_names(backbone, targets=options.targets, layers=options.layers),
        bias="none",
    )
    with without_rename_warning():
        backbone.model = get_peft_model(backbone.model, config)
    backbone.model.peft_config["default"].base_model_name_or_path = backbone.origin.name


def save_lora(backbone: Backbone, folder: Path) -> None:
    """Write the adapter in peft's own format, so that plain `peft` opens it."""
    # peft would ask the hub whether the vocabulary grew; it never does here
    backbone.model.save_pretrained(folder / ADAPTER_FOLDER, save_embedding_layers=False)
    (folder / ADAPTER_FOLDER / "README.md").unlink(missing_ok=True)


def load_lora(backbone: Backbone, folder: Path) -> None:
    """Put a saved adapter on a backbone, in place of one that it may have."""
    if isinstance(backbone.model, PeftModel):
        backbone.model = backbone.model.unload()
    with without_rename_warning():
        backbone.model = PeftModel.from_pretrained(backbone.model, str(folder / ADAPTER_FOLDER))


@contextmanager
def without_rename_warning() -> Iterator[None]:
    """Leave out peft's use of a name that newer transformers deprecate."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        yield


LORA = Adapter(
    summary="low-rank updates of attention matrices",
    apply=apply_lora,
    save=save_lora,
    load=load_lora,
    learning_rate=1e-3,
)
