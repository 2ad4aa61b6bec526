"""Options in; the device, precision, token budget and threads of a run out."""

import contextlib
import ctypes
import gc
import logging
import os
import platform
import resource
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from peftide.config import RunOptions, TrainConfig
from peftide.distributed import ALONE, Processes, process_count
from peftide.errors import InputError
from peftide.outputs import read_record
from peftide.process import is_prepared
from peftide.run_decisions import decided
from peftide.run_folder import Resumable, RunFolder, run_to_resume

logger = logging.getLogger(__name__)

CPU_MAX_TOKENS = 2_048  # larger batches exceed the cache of a typical core
GPU_MAX_TOKENS = 16_384
DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": torch.bfloat16,
}
BF16_UNITS = ("avx512_bf16", "amx_bf16", "sve_bf16")
FP16_UNITS = ("avx512_fp16", "amx_fp16")
INT8_UNITS = ("avx512_vnni",)
FIRST_FP16_UNITS = (7, 0)
GRAPH_BATCHES = 2
"""Number of packed batches whose activations training keeps at a time."""
WORTH_ALL_THREADS = 2**20
"""Size of a tensor whose work torch divides among all its threads."""


@dataclass(frozen=True)
class Hardware:
    """Device, precision, token budget and threads of a run.

    Attributes
    ----------
    device
        The device of all tensors.
    precision
        fp32, bf16, fp16, or int8 (frozen layers in 8 bits, the rest in bf16).
    max_tokens
        Token budget of one packed batch.
    threads
        CPU threads; None takes the setting of torch.
    is_usual
        Whether the token budget is the usual one of the device, not a number of the user.
    processes
        The processes that share a training.
    """

    device: torch.device
    precision: str
    max_tokens: int
    threads: int | None = None
    is_usual: bool = False
    processes: Processes = ALONE

    def suited(self, budget_factor: int) -> "Hardware":
        """Return the hardware with the usual token budget of a backbone."""
        if not self.is_usual or budget_factor == 1:
            return self
        return replace(self, max_tokens=budget_factor * self.max_tokens, is_usual=False)

    @property
    def dtype(self) -> torch.dtype:
        """The number type of matrix products in the backbone, as far as they are not in 8 bits."""
        return DTYPES[self.precision]

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context in which the backbone runs."""
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)

    @contextmanager
    def computing(self) -> Iterator[None]:
        """Set torch up for this hardware, and restore it afterwards.

        Inside, torch uses the threads and the GPU of this hardware, and the CPU treats denormal
        numbers as zero. Trained attention has many denormal numbers, and each costs as much time as
        a hundred normal ones.
        Afterwards threads, GPU, denormal mode and random numbers are as before. Do not yield to
        the caller from inside.

        A new thread inherits the denormal mode of the thread that starts it. On the command line
        (`prepare_process`) all threads of torch are started inside. In other processes the worker
        threads are started first and keep the mode of the caller, so steps on several threads may
        take longer.
        """
        threads, flushes = torch.get_num_threads(), flushes_denormals()
        gpus = [self.device] if self.device.type == "cuda" else []
        seeded = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else gpus
        with ExitStack() as stack:
            stack.enter_context(torch.random.fork_rng(seeded))  # a seed reaches every GPU
            stack.enter_context(threadpool_limits(self.threads))
            for gpu in gpus:
                stack.enter_context(torch.cuda.device(gpu))
            stack.callback(torch.set_num_threads, threads)
            if self.threads is not None:
                torch.set_num_threads(self.threads)
            if not is_prepared():
                torch.ones(WORTH_ALL_THREADS).add_(1)
            stack.callback(torch.set_flush_denormal, flushes)
            torch.set_flush_denormal(True)
            yield

    def describe(self) -> dict[str, Any]:
        """Return the description of the machine for a run record."""
        return {
            "device": str(self.device),
            "device_name": _device_name(self.device),
            "precision": self.precision,
            "threads": self.threads or torch.get_num_threads(),
            "max_tokens": self.max_tokens,
            "platform": platform.platform(),
            **({"processes": self.processes.count} if self.processes.count > 1 else {}),
        }


def choose_hardware(options: RunOptions, processes: Processes = ALONE) -> Hardware:
    """Resolve device, precision, threads and token budget of a run; change nothing.

    Parameters
    ----------
    processes
        The processes that share the run; on a machine with GPUs each takes one.

    Raises
    ------
    InputError
        If the device does not exist, a number is out of range, or several processes were started.
    """
    if process_count() != processes.count:
        raise InputError(
            f"started as {process_count()} processes",
            expected="one process: only `peftide train` shares its work among several",
        )
    device = _choose_device(options.device)
    if device.type == "cuda" and processes.count > 1:
        device = _choose_device(f"cuda:{os.environ.get('LOCAL_RANK', device.index or 0)}")
    max_tokens = options.max_tokens
    is_usual = isinstance(max_tokens, str)  # auto, or measured, which starts from the usual budget
    if isinstance(max_tokens, str):
        max_tokens = CPU_MAX_TOKENS if device.type == "cpu" else GPU_MAX_TOKENS
    for where, number in {"--threads": options.threads, "--max-tokens": max_tokens}.items():
        if number is not None and number < 1:
            raise InputError(f"received {number}", expected="1 or more", where=where)
    precision = _choose_precision(options.precision, device)
    return Hardware(device, precision, max_tokens, options.threads, is_usual, processes)


def choose_run_hardware(config: Resumable, processes: Processes = ALONE) -> Hardware:
    """Return the hardware of a training; a resumed one keeps device, precision and threads."""
    folder = run_to_resume(config)
    known = {} if folder is None else read_record(folder.record).get("decided", {})
    before = known.get("hardware", {})
    device = config.device
    if device == "auto" and "device" in before:
        device = before["device"]
        if not _is_available(torch.device(device)):
            logger.warning(
                "note: the run began on %s, which this machine does not have: its results may "
                "differ in the last digits",
                device,
            )
            device = "auto"
    return choose_hardware(
        RunOptions(
            device=device,
            precision=config.precision
            if config.precision != "auto"
            else before.get("precision", "auto"),
            threads=config.threads or before.get("threads"),
            max_tokens=config.max_tokens if isinstance(config, TrainConfig) else "auto",
        ),
        processes,
    )


def remember_hardware(folder: RunFolder, hardware: Hardware) -> None:
    """Record device, precision and threads of a training, unless they are recorded already."""
    used = {
        "device": str(hardware.device),
        "precision": hardware.precision,
        "threads": hardware.threads or torch.get_num_threads(),
    }
    decided(folder, "hardware", lambda: used)


def flushes_denormals() -> bool:
    """Return whether the calling thread treats numbers below the normal range as zero."""
    return not bool(torch.tensor(1e-30) * 1e-10)


def _choose_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise InputError(
            f"received {name!r}", expected="auto, cpu, cuda, cuda:1, mps", where="--device"
        ) from error
    if not _is_available(device):
        raise InputError(
            f"this machine has no device {name}", where="--device", fix="Use --device auto or cpu"
        )
    return device


def _is_available(device: torch.device) -> bool:
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    return available.get(device.type, False)


def _choose_precision(name: str, device: torch.device) -> str:
    if name == "int8":
        _require_int8(device)
    if name != "auto":
        return name
    if native_half(device, torch.bfloat16):
        return "bf16"
    return "fp16" if device.type == "cuda" and native_half(device, torch.float16) else "fp32"


def _require_int8(device: torch.device) -> None:
    """Raise if a device does not multiply 8-bit numbers faster than others."""
    if device.type != "cpu":
        raise InputError(
            f"received int8 with the device {device}",
            expected="a CPU",
            where="--precision",
            fix="Use --precision auto; on a GPU, --base-bits 8 holds the backbone in 8 bits",
        )
    units = torch.cpu.get_capabilities()
    if not all(map(units.get, INT8_UNITS)):
        raise InputError(
            "received int8, but this CPU lacks units for it",
            expected="AVX512-VNNI",
            where="--precision",
            fix="Use --precision auto",
        )


def native_half(device: torch.device, dtype: torch.dtype) -> bool:
    """Return whether a device multiplies matrices of half-precision numbers natively.

    GPUs multiply fp16 natively from compute capability 7.0 (Volta, Turing such as the T4) and bf16
    from 8.0 (Ampere); the GPU of a Mac is used with fp32 only.
    """
    if device.type == "cuda":
        if dtype is torch.bfloat16:
            return torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.cuda.get_device_capability(device) >= FIRST_FP16_UNITS
    if device.type == "cpu":
        units = torch.cpu.get_capabilities()
        names = BF16_UNITS if dtype is torch.bfloat16 else FP16_UNITS
        return any(units.get(name) for name in names)
    return False


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return str(torch.cpu.get_capabilities().get("cpu_name") or platform.processor())


def reset_peak_memory(device: torch.device) -> int:
    """Reset the peak memory, so that the next reading starts now; return the memory in use.

    Only Linux can do this for CPU memory; elsewhere a later peak includes earlier ones.
    """
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif sys.platform == "linux":
        release_memory()
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
    return peak_memory_bytes(device)


def release_memory() -> None:
    """Return free memory between tensors to the system (glibc; elsewhere only collect garbage)."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)


def peak_memory_bytes(device: torch.device) -> int:
    """Return the peak memory: of the GPU, or the resident memory of this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
