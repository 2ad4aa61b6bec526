"""Adapters in the format of `peft`: added to a backbone, saved so that `peft` opens them, loaded.

Modules of this package import `peft` inside functions: it takes seconds to load, and a run with
`--method head` does not need it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from peftide.adapters import ADAPTER_FOLDER
from peftide.adapters.once_per_pass import compute_once_per_pass
from peftide.backbones import Backbone
from peftide.errors import InputError
from peftide.saved import read_object, shown

ADAPTER_NAME = "default"
"""Name that `peft` gives to an adapter without a name."""
NAMES_MODULE = "megatron_config"
"""Key of `adapter_config.json` that makes `peft` import a module that the file names."""


def put_on(backbone: Backbone, config: Any) -> None:
    """Add an adapter to a backbone; only the adapter trains. `config` is a `PeftConfig`."""
    from peft import get_peft_model

    with quietly():
        backbone.model = get_peft_model(backbone.model, config)
    backbone.model.peft_config[ADAPTER_NAME].base_model_name_or_path = backbone.origin.name
    compute_once_per_pass(backbone)


def save_adapter(backbone: Backbone, folder: Path) -> None:
    """Write the adapter in the format of `peft`, so that plain `peft` opens it."""
    # peft would ask the hub whether the vocabulary has changed; here it never does
    backbone.model.save_pretrained(folder / ADAPTER_FOLDER, save_embedding_layers=False)
    (folder / ADAPTER_FOLDER / "README.md").unlink(missing_ok=True)


def load_adapter(backbone: Backbone, folder: Path) -> None:
    """Add a saved adapter to a backbone; it replaces an existing one.

    Raises
    ------
    InputError
        If the file lacks a tensor of the adapter, or would import a module.
    """
    from peft import PeftModel

    path = folder / ADAPTER_FOLDER / "adapter_config.json"
    content = read_object(path)
    if content.get(NAMES_MODULE):
        raise InputError(
            f"{NAMES_MODULE}: received {shown(content[NAMES_MODULE])}",
            expected="null: peftide writes no adapter that imports other modules",
            where=path,
            fix="Do not open a model from an unknown source",
        )
    if isinstance(backbone.model, PeftModel):
        backbone.model = backbone.model.unload()
    with quietly():
        # peft only warns; tensors that are not in the file would be random
        warnings.filterwarnings("error", "Found missing adapter keys", UserWarning)
        try:
            backbone.model = PeftModel.from_pretrained(backbone.model, str(folder / ADAPTER_FOLDER))
        except UserWarning as error:
            raise InputError(f"the file lacks tensors ({error})", where=folder) from error
    compute_once_per_pass(backbone)


@contextmanager
def quietly() -> Iterator[None]:
    """Suppress warnings about the code of peft."""
    with warnings.catch_warnings():
        # peft uses a name that newer transformers deprecate
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        # read as LoRA's; AdaLoRA's own, which it reads later, has other keys
        warnings.filterwarnings("ignore", "The following rank_pattern keys", RuntimeWarning)
        yield
