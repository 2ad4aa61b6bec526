"""A pretrained model in; the backbone's files, as `transformers` opens them, out."""

from pathlib import Path

import torch
from transformers import PreTrainedTokenizerBase

from peftide.backbones.esm_masked import published_tensors
from peftide.files import remove, written_whole
from peftide.pretraining.network import PretrainingModel

WEIGHTS_DTYPE = {"fp32": torch.float32, "bf16": torch.bfloat16}


def save_backbone(
    model: PretrainingModel, tokenizer: PreTrainedTokenizerBase, folder: Path, *, dtype: str
) -> None:
    """Write weights, configuration and tokenizer into a run folder, each file whole.

    Parameters
    ----------
    dtype
        fp32 or bf16.
    """
    place = folder / "checkpoints" / "backbone"
    with written_whole(place) as partial:
        trained = model.language_model.model
        tensors = published_tensors(
            trained.state_dict(),
            layers=trained.config.num_hidden_layers,
            dtype=WEIGHTS_DTYPE[dtype],
        )
        trained.save_pretrained(partial, state_dict=tensors, save_original_format=False)
        tokenizer.save_pretrained(partial)
    for file in sorted(place.iterdir()):
        file.replace(folder / file.name)
    remove(place)
