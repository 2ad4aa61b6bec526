"""The frozen 35M backbone: its arithmetic per second, as a share of what its matrix products reach.

    python benchmarks/engine/trunk_rate.py

Numerator: FLOPs of linear layers and attention, by the time of encoding packed rows of yeast
proteins, evenly spread over all rows. Denominator: the FLOP-weighted rate of the same products
(2,048 × k) · (k × n) alone, in bf16, in turns with it.
"""

from collections.abc import Callable

import numpy as np
import torch
from measuring import Spent, arguments, begin, conclude, middle, spent
from ours import SHAPES, encoder_of
from proteins import evenly, tokens_of, yeast

from peftide.packing import token_budget_batches

ROWS = 2048
REPEATS = 10


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--architecture", choices=SHAPES, default="esm2_t12_35M")
    parser.add_argument("--batches", type=int, default=6)
    options = parser.parse_args()
    hardware = begin(options)
    layers, width, _ = SHAPES[options.architecture]
    sequences = yeast()
    tokens = tokens_of(sequences)
    batches = token_budget_batches(tokens, hardware.max_tokens)
    means = np.array([tokens[batch].mean() for batch in batches])
    chosen = np.concatenate([batches[i] for i in evenly(means, options.batches)])
    texts = [sequences[i] for i in chosen]
    encoder = encoder_of(options.architecture, hardware, lora=False)
    products = [(width, width)] * 4 + [(width, 4 * width), (4 * width, width)]
    multiply = multiplications(products)
    encoding, multiplying = [], []
    encoder.embed(texts)  # what is compiled once is compiled before
    for _ in range(options.repeats):
        encoding.append(spent(lambda: encoder.embed(texts)))
        multiplying.append(spent(multiply))
    linear = sum(2 * k * n for k, n in products)
    flops = layers * float((tokens[chosen] * linear + 4 * tokens[chosen] ** 2 * width).sum())
    ours, peak = flops_per(encoding, flops), flops_per(multiplying, REPEATS * ROWS * linear)
    print(
        f"\n{options.architecture}, {len(texts)} proteins, {tokens[chosen].sum():,} tokens, "
        f"attention {1 - layers * tokens[chosen].sum() * linear / flops:.0%} of the FLOPs\n"
        f"  encoding {ours.wall / 1e9:,.0f} GFLOP/s by the clock, "
        f"{ours.cpu / 1e9:,.0f} per CPU second; "
        f"products alone {peak.wall / 1e9:,.0f}, {peak.cpu / 1e9:,.0f}"
    )
    shares = [f"{ours.wall / peak.wall:.0%}", f"{ours.cpu / peak.cpu:.0%}"]
    conclude(options, [["share of the matrix rate", *shares]])


def multiplications(products: list[tuple[int, int]]) -> Callable[[], None]:
    """Return work that multiplies matrices of the given shapes, as linear layers do."""
    factors = [(torch.randn(ROWS, k).bfloat16(), torch.randn(n, k).bfloat16()) for k, n in products]

    def multiply() -> None:
        with torch.inference_mode():
            for _ in range(REPEATS):
                for left, weight in factors:
                    torch.nn.functional.linear(left, weight)

    multiply()
    return multiply


def flops_per(times: list[Spent], flops: float) -> Spent:
    """Return FLOPs per second, on both clocks."""
    seconds = middle(times)
    return Spent(flops / seconds.wall, flops / seconds.cpu)


if __name__ == "__main__":
    main()
