"""Which device, which arithmetic, how many threads; by `accelerate`."""

import contextlib
import ctypes
import gc
import logging
import os
import platform
import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from peftide.config import RunOptions
from peftide.errors import InputError

logger = logging.getLogger(__name__)

CPU_MAX_TOKENS = 2_048  # larger rows fall out of the cache of a usual core
GPU_MAX_TOKENS = 16_384
GRAPH_BATCHES = 2
"""Packed batches whose activations are kept at a time in training."""


@dataclass(frozen=True)
class Hardware:
    """Where and how tensors are computed.

    Attributes
    ----------
    accelerator
        Holds device and precision; backward passes go through it.
    precision
        fp32 or bf16.
    max_tokens
        Token budget of one packed batch.
    """

    accelerator: Accelerator
    precision: str
    max_tokens: int

    @property
    def device(self) -> torch.device:
        """The device of all tensors."""
        return self.accelerator.device

    def autocast(self) -> Any:
        """Return the context in which the backbone runs."""
        return self.accelerator.autocast()

    def describe(self) -> dict[str, Any]:
        """Return what a run record should say of the machine."""
        return {
            "device": str(self.device),
            "device_name": _device_name(self.device),
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "max_tokens": self.max_tokens,
            "platform": platform.platform(),
        }


def choose_hardware(options: RunOptions) -> Hardware:
    """Resolve device, precision, threads and token budget of a run.

    Raises
    ------
    InputError
        If the device is not there, a number makes no sense, or several processes were started.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("started as several processes", expected="one process per run")
    # packed batches rarely repeat a shape, so kept kernels (oneDNN's default: 1,024) cost memory
    # and tear holes into it; the layers of one batch share the few that are enough
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "16")
    if options.threads is not None:
        if options.threads < 1:
            raise InputError(f"received {options.threads}", expected="1 or more", where="--threads")
        torch.set_num_threads(options.threads)
    # trained attention is full of numbers below 1e-38, each of which costs a CPU a hundred others;
    # threads that torch starts from here on do as this one
    torch.set_flush_denormal(True)
    device = _choose_device(options.device)
    precision = _choose_precision(options.precision, device)
    # accelerate keeps one process-wide state and refuses a second precision otherwise
    AcceleratorState._reset_state(reset_partial_state=True)
    if device.type == "cuda" and device.index is not None:
        os.environ["ACCELERATE_TORCH_DEVICE"] = str(device)
    accelerator = Accelerator(
        cpu=device.type == "cpu", mixed_precision="bf16" if precision == "bf16" else "no"
    )
    max_tokens = options.max_tokens
    if isinstance(max_tokens, str):
        max_tokens = CPU_MAX_TOKENS if device.type == "cpu" else GPU_MAX_TOKENS
    if max_tokens < 1:
        raise InputError(f"received {max_tokens}", expected="1 or more", where="--max-tokens")
    return Hardware(accelerator, precision, max_tokens)


def _choose_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(
            f"received {name!r}", expected="auto, cpu, cuda, cuda:1, mps", where="--device"
        ) from error
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(device.type, False):
        raise InputError(
            f"the device {name} is not there", where="--device", fix="Use --device auto or cpu"
        )
    return device


def _choose_precision(name: str, device: torch.device) -> str:
    if name != "auto":
        return name
    return "bf16" if native_bf16(device) else "fp32"


def native_bf16(device: torch.device) -> bool:
    """Return whether a device multiplies bfloat16 matrices natively."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        units = torch.cpu.get_capabilities()
        return bool(units.get("avx512_bf16") or units.get("amx_bf16") or units.get("sve_bf16"))
    return False


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return str(torch.cpu.get_capabilities().get("cpu_name") or platform.processor())


def keep_freed_memory() -> None:
    """Let this process reuse memory that it frees instead of giving it back (glibc only).

    Training frees and takes the same large blocks in every step; zeroing fresh pages each time
    costs a quarter of the time of a small model on a CPU.
    """
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # malloc.h
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        library.mallopt(trim_threshold, 2**31 - 1)
        library.mallopt(top_pad, 2**28)
        library.mallopt(mmap_max, 0)


def reset_peak_memory(device: torch.device) -> int:
    """Forget the peak so far, so that the next reading is of what comes now; return the new start.

    Where the operating system cannot (other than Linux), a later peak includes earlier ones.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):
            # memory that is free inside the process goes back to the system first (glibc)
            ctypes.CDLL(None).malloc_trim(0)
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return peak_memory_bytes(device)


def peak_memory_bytes(device: torch.device) -> int:
    """Return the peak memory: of the GPU, or the resident memory of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
