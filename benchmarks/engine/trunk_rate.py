"""Frozen backbones: their arithmetic per second, as a share of what their matrix products reach.

    python benchmarks/engine/trunk_rate.py --architectures esm2_t6_8M esm2_t12_35M

Numerator: FLOPs of linear layers and attention, by the time of encoding packed rows of yeast
proteins, evenly spread over all rows. Denominator: the FLOP-weighted rate of the same products
(2,048 × k) · (k × n) alone, in bf16, in turns with it.
"""

from collections.abc import Callable

import numpy as np
import torch
from measuring import Spent, arguments, begin, conclude, hardware_for, middle, spent
from ours import SHAPES, encoder_of
from proteins import evenly, tokens_of, yeast

from peftide.packing import token_budget_batches

COLUMNS = (
    *("Architecture", "Attention, share of the FLOPs", "Encoding, GFLOP/s"),
    *("Products alone, GFLOP/s", "Share"),
)
ROWS = 2048
REPEATS = 10


def main() -> None:
    parser = arguments(__doc__, repeats=5)
    parser.add_argument("--architectures", nargs="+", choices=SHAPES, default=["esm2_t12_35M"])
    parser.add_argument("--batches", type=int, default=6)
    options = parser.parse_args()
    hardware = begin(options)
    sequences = yeast()
    tokens = tokens_of(sequences)
    batches = token_budget_batches(tokens, hardware.max_tokens)
    means = np.array([tokens[batch].mean() for batch in batches])
    chosen = np.concatenate([batches[i] for i in evenly(means, options.batches)])
    texts, lengths = [sequences[i] for i in chosen], tokens[chosen]
    print(f"{len(texts)} proteins, {lengths.sum():,} tokens", flush=True)
    rows = [row(name, texts, lengths, options) for name in options.architectures]
    conclude(options, rows, columns=COLUMNS)


def row(architecture: str, texts: list[str], lengths: np.ndarray, options) -> list[str]:
    """Return the rates of one architecture, in GFLOP per CPU second."""
    layers, width, _ = SHAPES[architecture]
    encoder = encoder_of(architecture, hardware_for(options), lora=False)
    products = [(width, width)] * 4 + [(width, 4 * width), (4 * width, width)]
    multiply = multiplications(products)
    encoding, multiplying = [], []
    encoder.embed(texts)  # what is compiled once is compiled before
    for _ in range(options.repeats):
        encoding.append(spent(lambda: encoder.embed(texts)))
        multiplying.append(spent(multiply))
    linear = sum(2 * k * n for k, n in products)
    of_products = layers * float(lengths.sum()) * linear
    flops = of_products + layers * float((4 * lengths**2 * width).sum())
    ours, peak = flops_per(encoding, flops), flops_per(multiplying, REPEATS * ROWS * linear)
    cells = [f"{1 - of_products / flops:.0%}", f"{ours.cpu / 1e9:,.0f}", f"{peak.cpu / 1e9:,.0f}"]
    print(" · ".join([architecture, *cells]), flush=True)
    return [architecture, *cells, f"{ours.cpu / peak.cpu:.0%}"]


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
