"""The token budget that a training measures and takes, beside the usual one.

    python benchmarks/engine/token_budget.py --threads 1
    python benchmarks/engine/token_budget.py --backbones mini --methods full

Yeast proteins of at most 1,022 residues. For each backbone and method: what is chosen, what that
costs, and CPU seconds per 1,000 tokens of the passes that it is for under each budget in turn, on a
sample spread evenly by length.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from measuring import Spent, arguments, begin, middle, spent
from proteins import CROP, evenly, tokens_of, yeast
from torch import nn

from peftide.backbones.loading import load_backbone
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder
from peftide.hardware import Hardware
from peftide.model import Parts, ProteinModel
from peftide.packing import token_budget_batches
from peftide.pairing import Alone
from peftide.planning.passes import PassMeter
from peftide.planning.token_budget import LADDER, choose_token_budget
from peftide.pooling import build_pooling
from peftide.process import keep_freed_memory
from peftide.scaling import Scaling
from peftide.training.setting import adapt

EPOCHS = 20


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", default=["mini", "random:esm2_t6_8M"])
    parser.add_argument("--methods", nargs="+", default=["head", "lora", "full"])
    parser.add_argument("--proteins", type=int, default=34)
    options = parser.parse_args()
    hardware = begin(options)
    keep_freed_memory()
    print("| backbone | method | chosen | CPU s |", *(f"{n:,} |" for n in budgets(hardware)))
    for backbone in options.backbones:
        for method in options.methods:
            line(options, hardware, backbone, method)


def line(options: argparse.Namespace, hardware: Hardware, name: str, method: str) -> None:
    """Print the row of one backbone and method."""
    encoder = encoder_of(name, method, hardware)
    backbone, sequences = encoder.model.backbone, list(dict.fromkeys(yeast()))
    cut = min(backbone.frozen_layers, backbone.layers - 1) if method != "head" else 0
    found: list[int] = []

    def choose() -> None:
        epochs = 0 if method == "head" else EPOCHS
        found.append(choose_token_budget(encoder, sequences, epochs=epochs, cut=cut))

    cost = spent(choose)
    some = [sequences[k] for k in evenly(tokens_of(sequences), options.proteins)]
    meter = PassMeter(encoder, some, cut=cut)
    arms = {budget: [] for budget in budgets(hardware)}
    for _ in range(options.repeats):
        for budget, times in arms.items():
            times.append(passes(meter, budget, graph=method != "head"))
    cells = [f"{1e3 * middle(times).cpu:.3f}" for times in arms.values()]
    print(
        f"| {name} | {method} | {found[0]:,} | {cost.cpu:.1f} |", " | ".join(cells), "|", flush=True
    )


def budgets(hardware: Hardware) -> list[int]:
    """Return the budgets that a training compares."""
    return sorted(int(share * hardware.max_tokens) for share in LADDER)


def passes(meter: PassMeter, budget: int, *, graph: bool) -> Spent:
    """Return what a token costs in batches of a budget."""
    batches: Sequence[np.ndarray] = token_budget_batches(meter.tokens, budget)
    run = meter.graph if graph else meter.forward
    entered = [meter.entering(batch) for batch in batches]
    run(entered[0])
    return spent(lambda: [run(batch) for batch in entered]) / float(meter.tokens.sum())


def encoder_of(name: str, method: str, hardware: Hardware) -> ModelEncoder:
    """Return an adapted backbone with pooling and no head."""
    torch.manual_seed(0)
    backbone = load_backbone(name)
    adapt(backbone, TrainConfig(task="regression", method=method, backbone=name, out=Path("-")))
    parts = Parts(
        backbone,
        build_pooling("mean", width=backbone.width, per_residue=False),
        Scaling(backbone.width),
        Alone(),
        nn.Identity(),
    )
    return ModelEncoder(ProteinModel(parts), replace(hardware), max_length=CROP)


if __name__ == "__main__":
    main()
