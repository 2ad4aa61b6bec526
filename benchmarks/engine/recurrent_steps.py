"""A training step of UniRep by its methods: peftide, and the same step as torch and peft take it.

    python benchmarks/engine/recurrent_steps.py --threads 1

64 random proteins of 100 residues, bf16. As torch and peft take it, `full` and `last_k` add up the
gradient of each matrix time step by time step, `lora` and `dora` convert the frozen matrices to
bf16 in every time step, and `dora` measures their rows there.
"""

import random
from collections.abc import Callable
from unittest.mock import patch

import torch
from measuring import arguments, begin, conclude, middle, spent

from peftide.adapters import ADAPTERS, peft_form
from peftide.backbones.half import hold_half
from peftide.backbones.loading import LoadOptions, load_backbone
from peftide.backbones.step_products import StepProduct
from peftide.config import MethodOptions
from peftide.sequences.mutants import LETTERS

PROTEINS, RESIDUES, BF16 = 64, 100, torch.bfloat16
COLUMNS = ("Method", "As torch and peft, CPU s", "peftide, CPU s", "Times")


def main() -> None:
    parser = arguments(__doc__, repeats=3)
    options = parser.parse_args()
    begin(options)
    rows = []
    for method in ("lora", "dora", "last_k", "full"):
        ours = middle([spent(step(method)) for _ in range(options.repeats)]).cpu
        with (
            patch.object(StepProduct, "begin", lambda product: product.matrix),
            patch.object(peft_form, "compute_once_per_pass"),
        ):
            usual = step(method, dtype=torch.float32)
            theirs = middle([spent(usual) for _ in range(options.repeats)]).cpu
        rows.append([f"`{method}`", f"{theirs:.1f}", f"{ours:.1f}", f"{theirs / ours:.1f}"])
        print(" · ".join(rows[-1]), flush=True)
    conclude(options, rows, columns=COLUMNS)


def step(method: str, *, dtype: torch.dtype = BF16) -> Callable[[], None]:
    """Return a training step that has run once; `dtype` is the type of the frozen matrices."""
    held = dtype if ADAPTERS[method].takes_quantised else torch.float32
    backbone = load_backbone("unirep", options=LoadOptions(dtype=held))
    ADAPTERS[method].apply(backbone, MethodOptions(method=method))
    hold_half(backbone, dtype)
    backbone.train()
    drawn = random.Random(0)
    proteins = ["".join(drawn.choices(LETTERS, k=RESIDUES)) for _ in range(PROTEINS)]

    def take() -> None:
        with torch.autocast("cpu", dtype=BF16):
            loss = backbone(backbone.pack(proteins, max_length=None)).square().mean()
        loss.backward()
        backbone.zero_grad()

    take()
    return take


if __name__ == "__main__":
    main()
