"""What a piece of work used: seconds by both clocks, and memory above what was held before."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch

from peftide.hardware import peak_memory_bytes, reset_peak_memory
from peftide.planning.cost import Seconds

Result = TypeVar("Result")


@dataclass(frozen=True)
class Used(Generic[Result]):
    """What a piece of work gave and used.

    Attributes
    ----------
    grown_bytes
        Peak memory above what was held before.
    """

    result: Result
    seconds: Seconds
    grown_bytes: int


def clocked(work: Callable[[], Result], device: torch.device) -> tuple[Result, Seconds]:
    """Do a piece of work; return what it gave and how long it took.

    On a GPU both times are those on the clock.
    """
    synchronise(device)
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    synchronise(device)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return result, Seconds(wall if device.type == "cuda" else cpu, wall)


def weighed(work: Callable[[], Result], device: torch.device) -> Used[Result]:
    """Do a piece of work; return what it gave, its time and its peak memory."""
    before = reset_peak_memory(device)
    result, seconds = clocked(work, device)
    return Used(result, seconds, max(0, peak_memory_bytes(device) - before))


def synchronise(device: torch.device) -> None:
    """Wait for a GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def held_bytes(device: torch.device) -> int:
    """Return the memory held now: of the GPU, or of this process without files it has mapped."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return _status("RssAnon") if sys.platform == "linux" else peak_memory_bytes(device)


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) * 1024


def machine_memory(device: torch.device) -> tuple[int, int]:
    """Return the bytes of memory of the machine (or GPU), and how many are free for a process."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return total, free
    memory = Path("/proc/meminfo")
    if not memory.is_file():
        import os

        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return total, total
    lines = dict(line.split(":") for line in memory.read_text().splitlines())
    total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    limit = _control_group_limit()
    return min(total, limit), min(free, limit)


def _control_group_limit() -> int:
    """Return what a container may use at most."""
    path = Path("/sys/fs/cgroup/memory.max")
    text = path.read_text().strip() if path.is_file() else "max"
    return sys.maxsize if text == "max" else int(text)
