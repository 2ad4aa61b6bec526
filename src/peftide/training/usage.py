"""The wall time, CPU time and memory of a piece of work."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import torch

from peftide.hardware import peak_memory_bytes, reset_peak_memory

Result = TypeVar("Result")


@dataclass(frozen=True)
class Seconds:
    """Wall time and CPU time; other work on the machine hardly changes the CPU time."""

    cpu: float = 0.0
    wall: float = 0.0

    def __add__(self, other: "Seconds") -> "Seconds":
        """Return the sum of both times."""
        return Seconds(self.cpu + other.cpu, self.wall + other.wall)

    def __mul__(self, times: float) -> "Seconds":
        """Return a multiple of the time."""
        return Seconds(self.cpu * times, self.wall * times)


@dataclass(frozen=True)
class Used(Generic[Result]):
    """The result of a piece of work, its time and its memory.

    Attributes
    ----------
    grown_bytes
        Peak memory less the memory in use before the work.
    """

    result: Result
    seconds: Seconds
    grown_bytes: int


def clocked(work: Callable[[], Result], device: torch.device) -> tuple[Result, Seconds]:
    """Do a piece of work; return its result and its time.

    On a GPU both times are wall time.
    """
    synchronise(device)
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    synchronise(device)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return result, Seconds(wall if device.type == "cuda" else cpu, wall)


def weighed(work: Callable[[], Result], device: torch.device) -> Used[Result]:
    """Do a piece of work; return its result, its time and its peak memory."""
    before = reset_peak_memory(device)
    result, seconds = clocked(work, device)
    return Used(result, seconds, max(0, peak_memory_bytes(device) - before))


def synchronise(device: torch.device) -> None:
    """Wait until the GPU has finished its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def held_bytes(device: torch.device) -> int:
    """Return the memory in use: of the GPU, or of this process without mapped files."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    return _status("RssAnon") if sys.platform == "linux" else peak_memory_bytes(device)


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.split(f"{name}:")[1].split()[0]) * 1024


def machine_memory(device: torch.device) -> tuple[int, int]:
    """Return the memory of the machine or GPU, and the memory free for a process, in bytes."""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        return total, free
    memory = Path("/proc/meminfo")
    if not memory.is_file():
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return total, total
    lines = dict(line.split(":") for line in memory.read_text().splitlines())
    total, free = (int(lines[name].split()[0]) * 1024 for name in ("MemTotal", "MemAvailable"))
    limit = _control_group_limit()
    return min(total, limit), min(free, limit)


def _control_group_limit() -> int:
    """Return the memory limit of a container."""
    path = Path("/sys/fs/cgroup/memory.max")
    text = path.read_text().strip() if path.is_file() else "max"
    return sys.maxsize if text == "max" else int(text)
