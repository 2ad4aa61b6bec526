"""A trained backbone → a checkpoint of `transformers`, with the adapter merged into the weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor

from peftide.backbones import Backbone
from peftide.backbones.checkpoint_files import SAFETENSORS
from peftide.backbones.esm_masked import published_tensors
from peftide.backbones.esm_output import PREFIX
from peftide.backbones.loading import LoadOptions, find_folder
from peftide.backbones.transformer import TransformerBackbone
from peftide.errors import InputError


def write_checkpoint(backbone: Backbone, folder: Path) -> None:
    """Write a backbone as plain `transformers` opens it: configuration, weights and tokenizer.

    An adapter is merged into the weights of the backbone in memory, which stays merged. An ESM has
    the tensor names of the published checkpoints, and its language-model head if the backbone had
    one.

    Raises
    ------
    InputError
        If the backbone is no model of `transformers`.
    """
    if not isinstance(backbone, TransformerBackbone):
        raise InputError(
            f"the backbone {backbone.origin.name} is no model of transformers",
            expected="an encoder such as ESM-2, ProtBERT, ProtElectra or ProtT5",
            fix="`peftide predict` and `peftide embed --run` use this run as it is",
        )
    model = merge_adapter(backbone)
    folder.mkdir(parents=True, exist_ok=True)
    config, output = model.config, backbone.output
    tensors = _alone(model.state_dict())
    if config.model_type == "esm":
        head = {} if output is None else {f"{PREFIX}{k}": v for k, v in output.tensors.items()}
        named = {f"esm.{name}": tensor for name, tensor in tensors.items()} | head
        layers = config.num_hidden_layers
        tensors = published_tensors(named, layers=layers, dtype=torch.float32)
        config.architectures = ["EsmModel" if output is None else "EsmForMaskedLM"]
    else:
        config.architectures = [type(model).__name__]
    config.dtype = torch.float32
    save_file(tensors, folder / SAFETENSORS, metadata={"format": "pt"})
    config.save_pretrained(folder)
    tokenizer_of(backbone).save_pretrained(folder)


def merge_adapter(backbone: TransformerBackbone) -> Any:
    """Merge an adapter of `peft`, if there is one; return the model of `transformers`."""
    from peft import PeftModel

    if isinstance(backbone.model, PeftModel):
        backbone.model = backbone.model.merge_and_unload()
    return backbone.model


def tokenizer_of(backbone: TransformerBackbone) -> Any:
    """Return the tokenizer of the checkpoint that a backbone was loaded from."""
    origin = backbone.origin
    if origin.is_random:
        return backbone.architecture.tokenizer(None)
    options = LoadOptions(offline=True, revision=origin.revision)
    return backbone.architecture.tokenizer(find_folder(origin.name, options)[0])


def _alone(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return a copy of each tensor, under the first of its names."""
    found: dict[int, str] = {}
    for name, tensor in tensors.items():
        found.setdefault(tensor.data_ptr(), name)
    return {name: tensors[name].detach().float().cpu().clone() for name in found.values()}
