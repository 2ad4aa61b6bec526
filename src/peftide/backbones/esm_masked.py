"""ESM with its language-model head, for pretraining: rows of masked pieces in, logits out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from peftide.backbones.weights import load_weights

TRAINED_MASK_SHARE = 0.15 * 0.8
"""Share of `<mask>` to which ESM's `token_dropout` scales the embeddings at all times."""
FREQUENCIES = "rotary_embeddings.inv_freq"
"""Frequencies of the rotary positions: one tensor of the model, but one for each layer in files."""
TIED = "lm_head.decoder.weight"
"""Second name of the word embeddings."""


class EsmMaskedLM(nn.Module):
    """The steps of `EsmForMaskedLM`, with `token_dropout` scaled piece by piece.

    Parameters
    ----------
    source
        A checkpoint's folder, or a configuration for random weights.

    Raises
    ------
    BackboneError
        If the weights cannot be read.

    Notes
    -----
    `transformers` scales by the share of `<mask>` in a whole row; a row here holds several pieces.
    """

    def __init__(self, source: Any) -> None:
        from transformers import EsmForMaskedLM

        super().__init__()
        config: Any = source
        if isinstance(source, Path):
            self.model: Any = load_weights(EsmForMaskedLM, source, may_lack="contact_head")[0]
        else:
            self.model = EsmForMaskedLM(config)
        # not used by masked language models, and random otherwise
        for parameter in self.model.esm.contact_head.parameters():
            nn.init.zeros_(parameter.requires_grad_(False))

    def embed(
        self,
        input_ids: Int[Tensor, "B T"],
        position_ids: Int[Tensor, "B T"],
        mask_share: Float[Tensor, "B T"],
    ) -> Float[Tensor, "B T D"]:
        """Return the input of the first layer; `mask_share` is the share of each token's piece."""
        module = self.model.esm.embeddings
        embedded = module.word_embeddings(input_ids)
        if module.token_dropout:
            embedded = embedded.masked_fill((input_ids == module.mask_token_id)[..., None], 0.0)
            embedded = embedded * ((1 - TRAINED_MASK_SHARE) / (1 - mask_share))[..., None]
        if module.position_embedding_type == "absolute":
            embedded = embedded + module.position_embeddings(position_ids)
        return embedded if module.layer_norm is None else module.layer_norm(embedded)

    def encode(
        self, embedded: Float[Tensor, "B T D"], position_ids: Int[Tensor, "B T"], **options: Any
    ) -> Float[Tensor, "B T D"]:
        """Return the last hidden states; options go to the attention."""
        output = self.model.esm(inputs_embeds=embedded, position_ids=position_ids, **options)
        return output.last_hidden_state

    def predict(self, hidden: Float[Tensor, "M D"]) -> Float[Tensor, "M V"]:
        """Return the logits of every token of the vocabulary."""
        return self.model.lm_head(hidden)


def published_tensors(
    tensors: Mapping[str, Tensor], *, layers: int, dtype: torch.dtype
) -> dict[str, Tensor]:
    """Return the tensors of `EsmForMaskedLM` under the names of the published ESM-2 checkpoints.

    `transformers` 5 would write names that other readers of ESM-2 refuse.

    Parameters
    ----------
    tensors
        The state of the model.
    dtype
        Number type of the weights. Rotary frequencies stay in fp32: at residue 1,000, a rounded
        frequency is off by half a turn.
    """
    published = {}
    for name, tensor in tensors.items():
        if name.endswith(FREQUENCIES):
            home = name.removesuffix(FREQUENCIES) + "encoder.layer"
            copies = {f"{home}.{k}.attention.self.{FREQUENCIES}": tensor for k in range(layers)}
            published |= {k: v.detach().float().cpu().clone() for k, v in copies.items()}
        elif name != TIED:
            published[name] = tensor.detach().to("cpu", dtype).clone()
    return published
