"""What encoding every protein once saves, against the conventional way, on the human gold standard.

    python benchmarks/engine.py embedding training predict

Needs PEFTIDE_DATA (docs/data.md). Both arms run in this process, one after the other, on real
proteins of at most 1,022 residues, with random weights of the ESM-2 8M architecture (speed does
not depend on the weights). Conventional: plain transformers and peft, fp32, padded batches of four
pairs, frozen modules in evaluation mode. It is measured on pairs stratified by length, ours on
whole block batches; both are extrapolated to the full set by tokens or pairs, and both figures
are printed.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor
from transformers import EsmModel

from peftide.adapters import ADAPTERS, AdapterOptions
from peftide.backbones.esm import esm_config, esm_tokenizer
from peftide.backbones.loading import load_backbone
from peftide.config import RunOptions
from peftide.encoding import ModelEncoder
from peftide.engine.blocks import block_batches, choose_blocks
from peftide.engine.packing import token_budget_batches
from peftide.engine.two_pass import two_pass
from peftide.hardware import Hardware, choose_hardware
from peftide.heads import build_head
from peftide.model import Parts, ProteinModel
from peftide.pairing import build_pairing
from peftide.parameters import trained_parameters
from peftide.pooling import build_pooling
from peftide.scaling import Scaling
from peftide.sequences import read_fasta
from peftide.training import answer_rows
from peftide.training.modes import set_training_mode

CROP = 1022
PAIRS_PER_BATCH = 4
EPOCHS = 5
LAYERS, TARGETS, RANK = "4,5", ("key", "value"), 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("measures", nargs="+", choices=MEASURES)
    parser.add_argument("--pairs", type=int, default=64, help="pairs of the conventional arm")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    torch.manual_seed(0)
    hardware = choose_hardware(RunOptions(device="cpu", threads=options.threads))
    flags = [name for name, there in torch.cpu.get_capabilities().items() if there is True]
    print(f"{options.threads} threads, {hardware.precision}, CPU: {' '.join(sorted(flags))}")
    for name in options.measures:
        MEASURES[name](hardware, options.pairs)


def read_part(name: str) -> tuple[list[str], np.ndarray]:
    """Return the distinct proteins of a part, cropped, and its pairs as numbers of them."""
    folder = Path(os.environ["PEFTIDE_DATA"]) / "ppi_gold"
    proteins, _ = read_fasta(folder / "sequences.fasta")
    texts = dict(zip(proteins.ids, proteins.sequences, strict=True))
    table = pd.read_csv(folder / f"{name}.tsv", sep="\t")
    ids, members = np.unique(table[["id_a", "id_b"]].to_numpy(str), return_inverse=True)
    return [texts[i][:CROP] for i in ids], members.reshape(-1, 2)


def tokens_of(sequences: list[str]) -> np.ndarray:
    return np.array([len(text) + 2 for text in sequences])


def stratified(members: np.ndarray, sequences: list[str], count: int) -> np.ndarray:
    """Return pairs whose sums of lengths are spread like those of all pairs, in random order."""
    lengths = tokens_of(sequences)[members].sum(axis=1)
    places = ((np.arange(count) + 0.5) / count * len(members)).astype(int)
    chosen = np.argsort(lengths, kind="stable")[places]
    return np.random.default_rng(0).permutation(chosen)


def conventional_model(*, lora: bool) -> torch.nn.Module:
    model = EsmModel(esm_config(6, 320, 20), add_pooling_layer=False).eval()
    if not lora:
        return model
    names = [
        f"encoder.layer.{layer}.attention.self.{target}"
        for layer in LAYERS.split(",")
        for target in TARGETS
    ]
    config = LoraConfig(r=RANK, lora_alpha=2 * RANK, lora_dropout=0.05, target_modules=names)
    adapted = get_peft_model(model, config)
    set_training_mode(adapted)
    return adapted


def padded_means(model: torch.nn.Module, texts: list[str]) -> Tensor:
    batch = esm_tokenizer(None)(texts, return_tensors="pt", padding=True)
    hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][:, :, None]
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def conventional(sequences: list[str], members: np.ndarray, *, train: bool) -> float:
    """Return seconds per pair."""
    model = conventional_model(lora=train)
    head = build_head("mlp", features=960, outputs=1, width=256, dropout=0.1).train(train)
    parameters = [p for p in [*model.parameters(), *head.parameters()] if p.requires_grad]
    optimizer = torch.optim.AdamW(parameters, lr=1e-3)
    times = []
    with torch.set_grad_enabled(train):
        for start in range(0, len(members), PAIRS_PER_BATCH):
            pairs = members[start : start + PAIRS_PER_BATCH]
            started = time.perf_counter()
            left, right = (padded_means(model, [sequences[p] for p in side]) for side in pairs.T)
            logits = head(torch.cat([left + right, (left - right).abs(), left * right], dim=1))
            if train:
                torch.nn.functional.softplus(logits).mean().backward()
                optimizer.step()
                optimizer.zero_grad()
            times.append(time.perf_counter() - started)
    return sum(times) / len(members)


def our_model(hardware: Hardware) -> ModelEncoder:
    backbone = load_backbone("random:esm2_t6_8M")
    ADAPTERS["lora"].apply(
        backbone, AdapterOptions(lora_r=RANK, targets=TARGETS, layers=LAYERS, lora_alpha=2 * RANK)
    )
    pairing = build_pairing("order_free", pairs=True)
    features = pairing.features(backbone.width)
    parts = Parts(
        backbone,
        build_pooling("mean", width=backbone.width, per_residue=False),
        Scaling(backbone.width),
        pairing,
        build_head("mlp", features=features, outputs=1, width=256, dropout=0.1),
    )
    return ModelEncoder(ProteinModel(parts), hardware, max_length=CROP)


def training(hardware: Hardware, pairs: int) -> None:
    """LoRA on the last two layers: seconds for five epochs over all training pairs."""
    sequences, members = read_part("train")
    seconds = conventional(sequences, members[stratified(members, sequences, pairs)], train=True)
    blocks = choose_blocks(members)
    batches = block_batches(members, blocks, np.random.default_rng(0))
    batch = sorted(batches, key=len)[len(batches) // 2]
    trunk, step = our_training(hardware, sequences, members, batch)
    ours = (trunk + EPOCHS * step * len(batches)) / EPOCHS
    theirs = seconds * len(members)
    print(
        f"\nLoRA training, {len(members):,} pairs of {len(sequences):,} proteins, per epoch\n"
        f"  conventional  {theirs / 3600:8.2f} h  {1 / seconds:8.2f} pairs/s  "
        f"{len(members) // PAIRS_PER_BATCH:,} steps (measured on {pairs} pairs)\n"
        f"  peftide       {ours / 3600:8.2f} h  {len(members) / ours:8.2f} pairs/s  "
        f"{len(batches):,} steps of {blocks} blocks "
        f"(one of {len(batch):,} pairs: {step:.1f} s; frozen layers once: {trunk:.0f} s)\n"
        f"  ratio         {theirs / ours:8.1f}"
    )


def our_training(
    hardware: Hardware, sequences: list[str], members: np.ndarray, batch: np.ndarray
) -> tuple[float, float]:
    """Return seconds for the frozen layers of all proteins, and for one block step."""
    encoder = our_model(hardware)
    proteins, local = np.unique(members[batch], return_inverse=True)
    texts = [sequences[p] for p in proteins]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        encoder.keep_trunk(texts, store=Path(folder), limit=1e12)
        share = tokens_of(texts).sum() / tokens_of(sequences).sum()
        trunk = (time.perf_counter() - started) / share
        set_training_mode(encoder.model)
        optimizer = torch.optim.AdamW(trained_parameters(encoder.model).values(), lr=1e-3)
        step = block_step(encoder, texts, torch.from_numpy(local.reshape(-1, 2)))
        times = []
        for _ in range(3):
            started = time.perf_counter()
            step()
            optimizer.step()
            optimizer.zero_grad()
            times.append(time.perf_counter() - started)
    return trunk, median(times)


def block_step(encoder: ModelEncoder, texts: list[str], members: Tensor) -> Callable[[], float]:
    order = token_budget_batches(encoder.tokens(texts), encoder.hardware.max_tokens)
    back = torch.from_numpy(np.argsort(np.concatenate(order)))

    def encode(piece: np.ndarray) -> Tensor:
        with encoder.autocast():
            return encoder.encode(encoder.pack([texts[k] for k in piece])).float()

    def push(rows: Tensor) -> float:
        logits = encoder.model.answer(rows[back], members)
        loss = torch.nn.functional.softplus(logits).mean()
        loss.backward()
        return loss.item()

    return lambda: two_pass(encode, order, push)


def predict(hardware: Hardware, pairs: int) -> None:
    """All test pairs: every protein encoded once, then the head on vectors."""
    sequences, members = read_part("test")
    seconds = conventional(sequences, members[stratified(members, sequences, pairs)], train=False)
    encoder = our_model(hardware)
    some = np.random.default_rng(0).permutation(len(sequences))[:512]
    texts = [sequences[p] for p in some]
    share = tokens_of(texts).sum() / tokens_of(sequences).sum()
    started = time.perf_counter()
    embeddings = encoder.embed(texts)
    encoding = (time.perf_counter() - started) / share
    started = time.perf_counter()
    answer_rows(encoder.model, embeddings, members % len(some), device=hardware.device)
    ours, theirs = encoding + time.perf_counter() - started, seconds * len(members)
    print(
        f"\npredict, {len(members):,} test pairs of {len(sequences):,} proteins\n"
        f"  conventional  {theirs / 60:8.1f} min (measured on {pairs} pairs)\n"
        f"  peftide       {ours / 60:8.1f} min (measured on {len(some)} proteins and all pairs)\n"
        f"  ratio         {theirs / ours:8.1f}"
    )


def embedding(hardware: Hardware, _pairs: int) -> None:
    """Residues per second of frozen embedding: packed, against padded batches of eight."""
    sequences, _ = read_part("test")
    texts = [sequences[p] for p in np.random.default_rng(0).permutation(len(sequences))[:128]]
    residues = sum(map(len, texts))
    ours = timed(lambda: our_model(hardware).embed(texts))
    model = conventional_model(lora=False)
    print(f"\nembedding, {len(texts)} proteins, residues/s\n  peftide      {residues / ours:8,.0f}")
    for label, size, ordered in (
        ("padded batches of 8 in file order, fp32", 8, texts),
        ("padded batches of 16 sorted by length, fp32", 16, sorted(texts, key=len)),
    ):
        theirs = timed(lambda b=ordered, n=size: padded_all(model, b, n))
        print(f"  {label}: {residues / theirs:8,.0f}; ratio {theirs / ours:.1f}")


def padded_all(model: torch.nn.Module, texts: list[str], size: int) -> None:
    with torch.inference_mode():
        for start in range(0, len(texts), size):
            padded_means(model, texts[start : start + size])


def timed(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the median time."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return median(times)


MEASURES = {"embedding": embedding, "training": training, "predict": predict}


if __name__ == "__main__":
    main()
