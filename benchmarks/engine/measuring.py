"""How the rows of the engine's table are measured: two clocks, medians, what is said above them.

On a machine that does other work too, CPU seconds of one thread say more than the clock on the
wall: both are printed.
"""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import torch

from peftide.config import RunOptions
from peftide.hardware import Hardware, choose_hardware
from peftide.process import prepare_process

sys.path.append(str(Path(__file__).resolve().parents[1]))
from recording import add_record_option, write_record  # noqa: E402  (a script one folder up)

MATRIX_UNITS = (
    "avx2",
    "avx512_f",
    "avx512_bf16",
    "avx512_vnni",
    "amx_tile",
    "amx_bf16",
    "sve_bf16",
)
ARMS = (
    *("Measure", "Conventional, by the clock", "by CPU seconds"),
    *("Knowledgeable, by the clock", "by CPU seconds"),
)


@dataclass(frozen=True)
class Spent:
    """Seconds: on the wall, and of this process on all cores."""

    wall: float
    cpu: float

    def __add__(self, other: "Spent") -> "Spent":
        return Spent(self.wall + other.wall, self.cpu + other.cpu)

    def __sub__(self, other: "Spent") -> "Spent":
        return Spent(max(self.wall - other.wall, 0.0), max(self.cpu - other.cpu, 0.0))

    def __mul__(self, times: float) -> "Spent":
        return Spent(self.wall * times, self.cpu * times)

    def __truediv__(self, parts: float) -> "Spent":
        return self * (1 / parts)


def arguments(text: str | None, *, repeats: int = 3) -> argparse.ArgumentParser:
    """Return the options that all rows share."""
    summary = (text or "").splitlines()[0]
    parser = argparse.ArgumentParser(description=summary)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=repeats, help="medians are of so many")
    add_record_option(parser)
    return parser


def hardware_for(options: argparse.Namespace, precision: str = "auto") -> Hardware:
    """Return how peftide computes; set the process up so, for the conventional arm too."""
    prepare_process()
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    return choose_hardware(RunOptions(device="cpu", threads=options.threads, precision=precision))


def begin(options: argparse.Namespace) -> Hardware:
    """Print the machine, and return how peftide computes on it by default."""
    logging.basicConfig(level=logging.ERROR)
    torch.manual_seed(0)
    hardware = hardware_for(options)
    there = torch.cpu.get_capabilities()
    units = [name for name in MATRIX_UNITS if there.get(name)]
    print(
        f"{options.threads} thread(s) of {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{hardware.precision} ({hardware.max_tokens:,} tokens per row), "
        f"torch {torch.__version__}, CPU with {' '.join(units)}",
        flush=True,
    )
    return hardware


def conclude(
    options: argparse.Namespace,
    rows: Sequence[Sequence[object]],
    *,
    columns: Sequence[str] = ("measure", "by the clock", "by CPU seconds"),
) -> None:
    """Print the rows of the table, and write them as a record if --record asks for one."""
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    write_record(options.record, columns, rows)


def ratios(conventional: Spent, knowledgeable: Spent, ours: Spent) -> list[str]:
    """Return how many times longer each arm takes than ours, by both clocks."""
    arms = (conventional, knowledgeable)
    return [f"{x:.3g}" for arm in arms for x in (arm.wall / ours.wall, arm.cpu / ours.cpu)]


def now() -> Spent:
    """Return both clocks."""
    return Spent(time.perf_counter(), time.process_time())


def spent(work: Callable[[], object]) -> Spent:
    """Return what one call costs."""
    start = now()
    work()
    return now() - start


def middle(all_spent: Sequence[Spent]) -> Spent:
    """Return the medians."""
    return Spent(median(one.wall for one in all_spent), median(one.cpu for one in all_spent))


def spread(all_spent: Sequence[Spent]) -> str:
    """Return the range of the CPU seconds."""
    return f"{min(one.cpu for one in all_spent):.2f}-{max(one.cpu for one in all_spent):.2f}"
