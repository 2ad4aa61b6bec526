"""The knowledgeable arm: plain transformers and peft by somebody who knows how to make them fast.

bf16, each distinct protein of a batch of pairs encoded once, sorted by length, padded to the
longest of eight. It has no cache of frozen layers.
"""

import numpy as np
import torch
from conventional import esm, padded_means, with_lora
from embedding import BATCH, padded
from measuring import Spent, middle, spent
from proteins import Pairs, evenly

PAIRS_PER_STEP = 64


def embedding_cost(pairs: Pairs, proteins: int, repeats: int) -> Spent:
    """Return what it costs to encode each protein of some pairs once, from a sample of them."""
    arm = padded("esm2_t6_8M", sorted(pairs.sequences, key=len), torch.bfloat16, proteins)
    return middle([spent(arm.work) / arm.share for _ in range(repeats)])


def training_cost(pairs: Pairs, proteins: int, repeats: int) -> Spent:
    """Return what an epoch of LoRA costs without its head, from some padded batches of one step."""
    order = np.random.default_rng(0).permutation(len(pairs.members))
    steps = np.split(order, np.arange(PAIRS_PER_STEP, len(order), PAIRS_PER_STEP))
    tokens = pairs.tokens
    groups = [padded_batches(pairs.members[step], tokens) for step in steps]
    sizes = [np.array([len(one) * tokens[one].max() for one in step]) for step in groups]
    chosen = evenly(sizes[0], max(1, proteins // BATCH))
    model = with_lora(esm("esm2_t6_8M"))
    used = middle([spent(lambda: train(model, pairs, groups[0], chosen)) for _ in range(repeats)])
    return used * float(sum(map(np.sum, sizes)) / sizes[0][chosen].sum())


def padded_batches(members: np.ndarray, tokens: np.ndarray) -> list[np.ndarray]:
    """Return the distinct proteins of a step in batches of similar length."""
    proteins = np.unique(members)
    ordered = proteins[np.argsort(tokens[proteins], kind="stable")]
    return np.split(ordered, np.arange(BATCH, len(ordered), BATCH))


def train(
    model: torch.nn.Module, pairs: Pairs, groups: list[np.ndarray], chosen: np.ndarray
) -> None:
    """Encode some batches with gradients, and go back through them."""
    for index in chosen:
        with torch.autocast("cpu", torch.bfloat16):
            rows = padded_means(model, [pairs.sequences[p] for p in groups[index]])
        rows.backward(torch.randn_like(rows))
