"""The conventional arm: plain transformers and peft, fp32, padded batches, every pair encoded anew.

Frozen modules are in evaluation mode. Head and pairing are those of peftide, so that the arms
differ in nothing but how proteins are encoded.
"""

from collections.abc import Sequence

import numpy as np
import torch
from ours import HEAD, LAYERS, LORA, SHAPES, TARGETS
from peft import LoraConfig, get_peft_model
from proteins import Pairs
from torch import Tensor, nn
from transformers import EsmModel

from peftide.backbones.esm import esm_config, esm_tokenizer
from peftide.heads import build_head
from peftide.scaling import Scaling
from peftide.training.modes import set_training_mode

PAIRS_PER_BATCH = 4
tokenizer = esm_tokenizer(None)


def esm(architecture: str) -> nn.Module:
    """Return an ESM-2 with random weights."""
    return EsmModel(esm_config(*SHAPES[architecture]), add_pooling_layer=False).eval()


def with_lora(model: nn.Module, layers: Sequence[int] = LAYERS) -> nn.Module:
    """Return a model with LoRA on keys and values of some layers."""
    names = [f"encoder.layer.{layer}.attention.self.{name}" for layer in layers for name in TARGETS]
    adapted = get_peft_model(model, LoraConfig(target_modules=names, **LORA))
    set_training_mode(adapted)
    return adapted


def padded_means(model: nn.Module, texts: Sequence[str]) -> Tensor:
    """Return the mean residue embedding of each sequence of one padded batch."""
    batch = tokenizer(list(texts), return_tensors="pt", padding=True)
    hidden = model(**batch).last_hidden_state
    inside = batch["attention_mask"].clone()
    inside[:, 0] = 0
    inside[torch.arange(len(texts)), batch["attention_mask"].sum(dim=1) - 1] = 0
    weights = inside[:, :, None]
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1)


class PairModel(nn.Module):
    """Backbone, scaling, pairing and head; both proteins of a pair are encoded for it."""

    def __init__(self, backbone: nn.Module, width: int) -> None:
        super().__init__()
        self.backbone, self.scaling = backbone, Scaling(width)
        self.head = build_head("mlp", features=3 * width, **HEAD)

    def forward(self, pairs: Pairs, chosen: np.ndarray) -> Tensor:
        left, right = (
            self.scaling(padded_means(self.backbone, [pairs.sequences[p] for p in side]))
            for side in pairs.members[chosen].T
        )
        features = [(left + right) / 2, (left - right).abs(), left * right]
        return self.head(torch.cat(features, dim=1))[:, 0]

    @property
    def trained(self) -> list[nn.Parameter]:
        """What trains."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]


def pair_model(*, lora: bool) -> PairModel:
    """Return a model on the 8M architecture with random weights."""
    name = "esm2_t6_8M"
    model = PairModel(with_lora(esm(name)) if lora else esm(name), SHAPES[name][1])
    model.head.train(lora)
    return model


def go_through(model: PairModel, pairs: Pairs, chosen: np.ndarray, *, train: bool) -> None:
    """Answer some pairs, four at a time, or train on them."""
    optimizer = torch.optim.AdamW(model.trained, lr=1e-3)
    with torch.set_grad_enabled(train):
        for start in range(0, len(chosen), PAIRS_PER_BATCH):
            batch = chosen[start : start + PAIRS_PER_BATCH]
            logits = model(pairs, batch)
            if train:
                train_step(logits, pairs.labels[batch], optimizer)


def train_step(logits: Tensor, labels: np.ndarray, optimizer: torch.optim.Optimizer) -> None:
    """Take one optimizer step."""
    truth = torch.from_numpy(labels).float()
    torch.nn.functional.binary_cross_entropy_with_logits(logits, truth).backward()
    optimizer.step()
    optimizer.zero_grad()
