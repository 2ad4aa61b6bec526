"""Pairs per second of a screen: the default pair head on vectors of `mini`, all against all.

    python benchmarks/screen.py [--proteins 11019] [--threads 2] [--seconds 20] [--whole]

Vectors and weights are random, which changes no time. The knowledgeable arm gathers both vectors of
8,192 pairs at a time and runs the trained modules on them. `--whole` screens all pairs, keeps the
best 10 of each protein, and measures the memory above the vectors too.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from recording import add_record_option, write_record

from peftide.hardware import peak_memory_bytes, reset_peak_memory
from peftide.heads import build_heads
from peftide.pairing import OrderFree
from peftide.scaling import Scaling
from peftide.screening.pair_head import pair_scorer
from peftide.screening.progress import ScreenFolder
from peftide.screening.screen import Pairs, Wanted, screen

PAIRS = 8_192
CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--proteins", type=int, default=11_019)
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20.0, help="of each arm")
    parser.add_argument("--whole", action="store_true")
    add_record_option(parser)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    rows = torch.randn(options.proteins, options.width)
    pairing, scaling = OrderFree(), Scaling(options.width)
    scaling.fit(rows[:1000])
    sizes = {"features": 3 * options.width, "outputs": 1, "width": 256, "dropout": 0.1}
    head = build_heads(1, "mlp", **sizes).eval()
    table = []
    with torch.inference_mode():
        scaled = scaling(rows)
        scorer = pair_scorer(rows, scaling=scaling, pairing=pairing, head=head)
        everyone = slice(0, options.proteins)

        def knowledgeable(step: int) -> int:
            members = torch.randint(options.proteins, (PAIRS, 2))
            head(pairing(scaled, members))
            return PAIRS

        def ours(step: int) -> int:
            scorer.scores(step % options.proteins, everyone)
            return options.proteins

        for name, arm in (("the trained modules, 8,192 pairs", knowledgeable), ("peftide", ours)):
            table.append([name, f"{rate(arm, options.seconds):,.0f}", "", ""])
        if options.whole:
            table.append(["`screen`, the best 10 of each", *whole(scorer, options.proteins)])
    print(f"CPU: {torch.cpu.get_capabilities().get('cpu_name')}, {options.threads} threads")
    columns = ["Scored by", "Pairs per second", "All pairs", "Memory above the vectors"]
    for row in [columns, *table]:
        print("  ".join(cell.ljust(34) for cell in row))
    write_record(options.record, columns, table)


def rate(arm: Callable[[int], int], seconds: float) -> float:
    """Return pairs per second of an arm."""
    arm(0)
    pairs, step, started = 0, 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        pairs, step = pairs + arm(step), step + 1
    return pairs / (time.perf_counter() - started)


def whole(scorer: object, count: int) -> list[str]:
    """Return rate, time and memory of a whole screen."""
    places = np.arange(count)
    pairs = Pairs(places, places, is_square=True)
    with tempfile.TemporaryDirectory() as folder:
        before, started = reset_peak_memory(CPU), time.perf_counter()
        tables = screen(scorer, pairs, Wanted(10), folder=ScreenFolder(Path(folder)), key="k")  # type: ignore[arg-type]
        hits = sum(len(table) for table in tables)
        seconds = time.perf_counter() - started
        grown = peak_memory_bytes(CPU) - before
    assert hits == 10 * count
    return [f"{pairs.count() / seconds:,.0f}", f"{seconds:.0f} s", f"{grown / 1e6:.0f} MB"]


if __name__ == "__main__":
    main()
