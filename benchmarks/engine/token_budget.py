"""The token budget of `--max-tokens measured`, beside the usual one.

    python benchmarks/engine/token_budget.py --threads 1
    python benchmarks/engine/token_budget.py --backbones mini --methods full

Yeast proteins of at most 1,022 residues. For each backbone and method: what is chosen, what that
costs, and CPU seconds per 1,000 tokens of the passes that it is for under each budget in turn, on a
sample spread evenly by length.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from measuring import Spent, arguments, begin, conclude, middle, spent
from proteins import CROP, evenly, tokens_of, yeast
from torch import nn

from peftide.backbones import cut_below_training
from peftide.backbones.loading import load_backbone
from peftide.config import TrainConfig
from peftide.encoding import ModelEncoder
from peftide.hardware import Hardware
from peftide.model import Parts, ProteinModel
from peftide.packing import token_budget_batches
from peftide.pairing import Alone
from peftide.pooling import build_pooling
from peftide.process import keep_freed_memory
from peftide.scaling import Scaling
from peftide.training.setting import adapt
from peftide.training.token_budget import LADDER, BudgetTrial, measured_token_budget


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--backbones", nargs="+", default=["mini", "random:esm2_t6_8M"])
    parser.add_argument("--methods", nargs="+", default=["head", "lora", "full"])
    parser.add_argument("--proteins", type=int, default=34)
    options = parser.parse_args()
    hardware = begin(options)
    keep_freed_memory()
    rows = []
    for backbone in options.backbones:
        for method in options.methods:
            rows.append(line(options, hardware, backbone, method))
            print(*rows[-1], sep="  ", flush=True)
    columns = ("backbone", "method", "chosen", "CPU s", *(f"{n:,}" for n in budgets(hardware)))
    print(f"| {' | '.join(columns)} |")
    conclude(options, rows, columns=columns)


def line(options: argparse.Namespace, hardware: Hardware, name: str, method: str) -> list[str]:
    """Return the row of one backbone and method."""
    encoder = encoder_of(name, method, hardware)
    backbone, sequences = encoder.model.backbone, list(dict.fromkeys(yeast()))
    cut = cut_below_training(backbone) if method != "head" else 0
    found: list[int] = []

    def choose() -> None:
        found.append(measured_token_budget(encoder, sequences, graph=method != "head", cut=cut))

    cost = spent(choose)
    some = [sequences[k] for k in evenly(tokens_of(sequences), options.proteins)]
    trial = BudgetTrial(encoder, some, graph=method != "head", cut=cut)
    arms = {budget: [] for budget in budgets(hardware)}
    for _ in range(options.repeats):
        for budget, times in arms.items():
            times.append(passes(trial, budget))
    cells = [f"{1e3 * middle(times).cpu:.3f}" for times in arms.values()]
    return [name, method, f"{found[0]:,}", f"{cost.cpu:.1f}", *cells]


def budgets(hardware: Hardware) -> list[int]:
    """Return the budgets that a training compares."""
    return sorted(int(share * hardware.max_tokens) for share in LADDER)


def passes(trial: BudgetTrial, budget: int) -> Spent:
    """Return what a token costs in batches of a budget."""
    count = len(token_budget_batches(trial.tokens, budget))
    batches = [trial.batch(budget, (number + 0.5) / count) for number in range(count)]
    trial.run(batches[0])
    return spent(lambda: [trial.run(batch) for batch in batches]) / float(trial.tokens.sum())


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
