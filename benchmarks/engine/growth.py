"""What training costs when the labelled pairs over the same proteins grow 8-fold.

    python benchmarks/engine/growth.py

An eighth of the gold train pairs, at random, against all of them: seconds of an epoch, the share
of the frozen layers in five epochs included, in as many blocks as all pairs get, and in as many as
`peftide train` would choose for the eighth. Costs per token and per pair are measured as in
training.py.
"""

import tempfile
from pathlib import Path

import numpy as np
from measuring import Spent, arguments, begin, conclude
from ours import TrainingCosts, batches_of, measure_training, small_cell
from proteins import Pairs, gold

from peftide.engine.blocks import choose_blocks
from peftide.hardware import Hardware
from training import EPOCHS, parts

FOLD = 8


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--proteins", type=int, default=96, help="proteins of peftide's batch")
    options = parser.parse_args()
    hardware = begin(options)
    everything = gold("train")
    eighth = np.random.default_rng(0).permutation(len(everything.members))[::FOLD]
    fewer = Pairs(everything.sequences, everything.members[eighth], everything.labels[eighth])
    blocks = choose_blocks(everything.members, EPOCHS)
    batch = sorted(batches_of(hardware, everything, blocks=blocks), key=len)[blocks]
    with tempfile.TemporaryDirectory() as folder:
        cell = small_cell(everything, batch, options.proteins)
        costs = measure_training(hardware, cell, store=Path(folder), repeats=options.repeats)
    print(f"\n{len(fewer.members):,} against {len(everything.members):,} pairs; {parts(costs)}")
    whole = epoch(hardware, costs, everything, blocks)
    rows = []
    for label, count in (("the same", blocks), ("its own", choose_blocks(fewer.members, EPOCHS))):
        part = epoch(hardware, costs, fewer, count)
        print(
            f"  {len(fewer.members):,} pairs in {label} number of blocks ({count}): "
            f"{part.cpu:,.0f} CPU s an epoch; all, in {blocks}: {whole.cpu:,.0f}"
        )
        name = f"cost of 8-fold pairs, {label} number of blocks"
        rows.append([name, f"{whole.wall / part.wall:.2f}", f"{whole.cpu / part.cpu:.2f}"])
    conclude(options, rows)


def epoch(hardware: Hardware, costs: TrainingCosts, pairs: Pairs, blocks: int) -> Spent:
    batches = batches_of(hardware, pairs, sampler="blocks", blocks=blocks)
    return costs.epoch(pairs, batches, epochs=EPOCHS)


if __name__ == "__main__":
    main()
