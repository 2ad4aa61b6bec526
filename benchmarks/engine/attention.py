"""Attention within sequences: compiled, against torch's in bf16 and fp32, per token and layer.

    python benchmarks/engine/attention.py --threads 1

Queries, keys and values are random, of packed sequences of one length with about 2,000 tokens in
all, and 20 heads as in ESM-2 (head widths of 8M: 16, 35M: 24, 150M: 32, 650M: 64). With gradients,
torch's arm is the one that peftide takes without the compiled attention: fp32.
"""

from collections.abc import Callable, Sequence

import torch
from measuring import arguments, begin, conclude, middle, spent
from torch import Tensor
from torch.nn import functional

from peftide.native import attention
from peftide.native.attention import Packing, attend_compiled

WIDTHS, LENGTHS, HEADS, TOKENS = (16, 24, 32, 64), (100, 400, 1000), 20, 2_000
COLUMNS = (
    *("Head width", "Residues", "Torch bf16, µs", "Torch fp32, µs", "Compiled, µs", "Times"),
    *("With gradients: torch fp32, µs", "Compiled, µs", "Times"),
)


def main() -> None:
    parser = arguments(__doc__, repeats=7)
    options = parser.parse_args()
    begin(options)
    print(f"attention: {attention.state()}", flush=True)
    rows = [row(width, length, options.repeats) for width in WIDTHS for length in LENGTHS]
    conclude(options, rows, columns=COLUMNS)


def row(width: int, length: int, repeats: int) -> list[str]:
    """Return the CPU microseconds per token of each way."""
    count = TOKENS // length
    generator = torch.Generator().manual_seed(0)
    made = torch.randn((4, count, HEADS, length, width), generator=generator).bfloat16()
    *inputs, seen = made.unbind()
    packed = [tensor.transpose(0, 1).flatten(1, 2)[None] for tensor in (*inputs, seen)]
    packing = Packing([length] * count, width**-0.5)
    wide = [tensor.float() for tensor in inputs]
    with torch.inference_mode():
        bf16, fp32 = (
            microseconds(lambda: of_torch(inputs), repeats),
            microseconds(lambda: of_torch(wide), repeats),
        )
        ours = microseconds(lambda: attend_compiled(*packed[:3], packing=packing), repeats)

    def back_by_torch() -> Sequence[Tensor]:
        needed = [tensor.detach().float().requires_grad_() for tensor in inputs]
        return torch.autograd.grad(of_torch(needed), needed, seen.float())

    def back() -> Sequence[Tensor]:
        needed = [tensor.detach().requires_grad_() for tensor in packed[:3]]
        mixed = attend_compiled(*needed, packing=packing)
        return torch.autograd.grad(mixed, needed, packed[3].transpose(1, 2))

    both = [microseconds(work, repeats) for work in (back_by_torch, back)]
    cells = [bf16, fp32, ours, min(bf16, fp32) / ours, *both, both[0] / both[1]]
    found = [str(width), f"{length:,}", *(f"{cell:.1f}" for cell in cells)]
    print(" · ".join(found), flush=True)
    return found


def of_torch(inputs: Sequence[Tensor]) -> Tensor:
    query, key, value = inputs
    return functional.scaled_dot_product_attention(query, key, value)


def microseconds(work: Callable[[], object], repeats: int) -> float:
    """Return the median CPU microseconds per token."""
    work()
    return middle([spent(work) for _ in range(repeats)]).cpu / TOKENS * 1e6


if __name__ == "__main__":
    main()
