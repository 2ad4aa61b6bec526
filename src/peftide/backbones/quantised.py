"""The matrices of a frozen backbone in 8 or 4 bits, by `bitsandbytes` on a CUDA GPU.

How many bits → what `transformers` is told when it loads the weights.
"""

import importlib.util
import math
from typing import Any

import torch
from torch import nn

from peftide.errors import InputError

LIBRARY = "bitsandbytes"
BITS = (4, 8)


def check_base_bits(bits: int | None) -> None:
    """Raise where weights cannot be held in so many bits.

    Raises
    ------
    InputError
        If the number is another, there is no CUDA GPU, or the library is not installed.
    """
    if bits is None:
        return
    if bits not in BITS:
        raise InputError(f"received {bits}", expected="4 or 8", where="--base-bits")
    if not torch.cuda.is_available():
        raise InputError(
            f"received {bits}, but this machine has no CUDA GPU",
            expected="a CUDA GPU, on which alone the library for it is fast",
            where="--base-bits",
            fix="Leave it out: the backbone is then held in 16 or 32 bits (--precision)",
        )
    if importlib.util.find_spec(LIBRARY) is None:
        raise InputError(
            f"received {bits}, but {LIBRARY} is not installed",
            where="--base-bits",
            fix=f"pip install {LIBRARY} (or 'peftide[quantised]'), or leave it out",
        )


def quantised_settings(bits: int, device: torch.device) -> dict[str, Any]:
    """Return the arguments with which `transformers` loads weights in so many bits.

    What is no matrix (norms, embeddings) stays in 32 bits.

    References
    ----------
    Dettmers et al. 2022, arXiv 2208.07339 (8 bits); Dettmers et al. 2023, arXiv 2305.14314 (4 bits:
    NormalFloat).
    """
    from transformers import BitsAndBytesConfig

    half = torch.bfloat16
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        half = torch.float16
    if bits == 4:
        config = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=half
        )
    else:
        config = BitsAndBytesConfig(load_in_8bit=True)
    return {"quantization_config": config, "device_map": {"": str(device)}}


def whole_size(parameter: nn.Parameter) -> int:
    """Return how many numbers a parameter stands for: two of 4 bits lie in one byte.

    Examples
    --------
    >>> whole_size(nn.Parameter(torch.zeros(3, 5)))
    15
    """
    packed = getattr(parameter, "quant_state", None)
    return parameter.numel() if packed is None else math.prod(packed.shape)
