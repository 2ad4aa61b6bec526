"""Pairs per second of a screen: pair heads on vectors of `mini`, all against all.

    python benchmarks/screen.py [--proteins 11019] [--threads 2] [--seconds 20] [--whole]

Vectors and weights are random, which changes no time. The knowledgeable arm gathers both vectors of
8,192 pairs at a time and runs the trained modules on them. `--whole` screens all pairs, keeps the
best 10 of each protein, and measures the memory above the vectors too; so it does with a short list
of 100, with the time to make it.
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
from peftide.pairing import OrderFree, SideBySide
from peftide.scaling import Scaling
from peftide.screening.imitation import imitate
from peftide.screening.pair_head import PairScorer, pair_scorer
from peftide.screening.progress import ScreenFolder
from peftide.screening.screen import PROTEINS_PER_BLOCK, Pairs, Wanted, screen
from peftide.screening.shortlist import rescored

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
    dot = build_heads(1, "dot", **sizes | {"features": 2 * options.width}).eval()
    table = []
    with torch.inference_mode():
        scaled = scaling(rows)
        scorers = {
            "peftide, head mlp": pair_scorer(rows, scaling=scaling, pairing=pairing, head=head),
            "peftide, head dot": pair_scorer(rows, scaling=scaling, pairing=SideBySide(), head=dot),
        }

        def knowledgeable(step: int) -> int:
            members = torch.randint(options.proteins, (PAIRS, 2))
            head(pairing(scaled, members))
            return PAIRS

        arms = {"the trained modules, 8,192 pairs": knowledgeable}
        arms |= {name: by(scorer, options.proteins) for name, scorer in scorers.items()}
        for name, arm in arms.items():
            table.append([name, f"{rate(arm, options.seconds):,.0f}", "", ""])
        if options.whole:
            mlp = scorers["peftide, head mlp"]
            for name, scorer in scorers.items():
                ten = whole(scorer, options.proteins, Wanted(10))
                table.append([name.replace("peftide", "`screen`, the best 10 of each"), *ten])
            listed = whole(mlp, options.proteins, Wanted(10), scaled=scaled)
            table.append(["the same, head mlp, short list of 100", *listed])
    print(f"CPU: {torch.cpu.get_capabilities().get('cpu_name')}, {options.threads} threads")
    columns = ["Scored by", "Pairs per second", "All pairs", "Memory above the vectors"]
    for row in [columns, *table]:
        print("  ".join(cell.ljust(42) for cell in row))
    write_record(options.record, columns, table)


def by(scorer: PairScorer, count: int) -> Callable[[int], int]:
    """Return an arm that scores some proteins with all others at each step."""
    rows = PROTEINS_PER_BLOCK

    def step(number: int) -> int:
        first = number * rows % (count - rows)
        scorer.scores(slice(first, first + rows), slice(0, count))
        return rows * count

    return step


def rate(arm: Callable[[int], int], seconds: float) -> float:
    """Return pairs per second of an arm."""
    arm(0)
    pairs, step, started = 0, 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        pairs, step = pairs + arm(step), step + 1
    return pairs / (time.perf_counter() - started)


def whole(
    scorer: PairScorer, count: int, wanted: Wanted, *, scaled: torch.Tensor | None = None
) -> list[str]:
    """Return rate, time and memory of a whole screen; with scaled vectors, by a short list."""
    places = np.arange(count)
    pairs = Pairs(places, places, is_square=True)
    with tempfile.TemporaryDirectory() as name:
        folder = ScreenFolder(Path(name) / "screen")
        before, started = reset_peak_memory(CPU), time.perf_counter()
        if scaled is None:
            tables = list(screen(scorer, pairs, wanted, folder=folder, key="k"))
        else:
            fast = imitate(scorer, scaled, path=Path(name) / "i.safetensors", key="k")
            listed = screen(fast, pairs, Wanted(100), folder=folder, key="k")
            tables = [rescored(listed, scorer, pairs, wanted=wanted)]
        seconds = time.perf_counter() - started
        grown = peak_memory_bytes(CPU) - before
    assert sum(len(table) for table in tables) == 10 * count
    return [f"{pairs.count() / seconds:,.0f}", f"{seconds:.0f} s", f"{grown / 1e6:.0f} MB"]


if __name__ == "__main__":
    main()
