"""DoRA (Liu et al. 2024, arXiv 2402.09353), by `peft`.

LoRA that trains the length of each row of W + BA separately from its direction.
"""

from dataclasses import replace
from functools import partial

from peftide.adapters.lora import LORA, apply_lora

DORA = replace(
    LORA,
    summary="LoRA that trains the length of a matrix's rows apart from their direction",
    apply=partial(apply_lora, use_dora=True),
    takes_quantised=False,  # peft computes the row lengths from the unquantised matrix
)
