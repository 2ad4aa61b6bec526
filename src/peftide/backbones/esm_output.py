"""The output layer of an ESM: residue embeddings in, logits of all tokens out.

The backbone itself is loaded without it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxtyping import Float
from safetensors import safe_open
from torch import Tensor
from torch.nn import functional

from peftide.backbones.checkpoint_files import SAFETENSORS, stored_files

PREFIX = "lm_head."
TENSORS = ("dense.weight", "dense.bias", "layer_norm.weight", "layer_norm.bias", "bias")


@dataclass(frozen=True)
class EsmOutput:
    """The steps of `EsmLMHead`; it is no part of the backbone and has no hash.

    Attributes
    ----------
    tensors
        The tensors of the head, by the last part of their names.
    embeddings
        The word embeddings, which are also the last matrix. Shape (V, D).
    epsilon
        Of the layer norm.
    """

    tensors: dict[str, Tensor]
    embeddings: Float[Tensor, "V D"]
    epsilon: float

    def __call__(self, residues: Float[Tensor, "R D"]) -> Float[Tensor, "R V"]:
        """Return the logits at each residue."""
        there = {name: tensor.to(residues.device) for name, tensor in self.tensors.items()}
        hidden = functional.gelu(
            functional.linear(residues.float(), there["dense.weight"], there["dense.bias"])
        )
        hidden = functional.layer_norm(
            *(hidden, hidden.shape[1:], there["layer_norm.weight"], there["layer_norm.bias"]),
            eps=self.epsilon,
        )
        embeddings = self.embeddings.to(residues.device)
        return functional.linear(hidden, embeddings, there["bias"])


def read_esm_output(folder: Path, model: Any) -> EsmOutput | None:
    """Return the output layer in a checkpoint; None if the files lack it.

    Parameters
    ----------
    model
        The loaded model, which has the word embeddings.
    """
    found: dict[str, Tensor] = {}
    for path in stored_files(folder, SAFETENSORS):
        with safe_open(path, framework="pt") as stored:
            names = {f"{PREFIX}{name}": name for name in TENSORS}
            for name in names.keys() & set(stored.keys()):
                found[names[name]] = stored.get_tensor(name).float()
    embeddings = model.embeddings.word_embeddings.weight.detach().float().clone()
    fits = found.keys() == set(TENSORS) and found["dense.weight"].shape[0] == embeddings.shape[1]
    if not fits or len(found["bias"]) != len(embeddings):
        return None
    return EsmOutput(found, embeddings, model.config.layer_norm_eps)
