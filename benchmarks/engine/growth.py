"""What training costs when the labelled pairs over the same proteins grow 8-fold.

    python benchmarks/engine/growth.py

An eighth of the gold train pairs, at random, against all of them: seconds of an epoch, the share
of the frozen layers in five epochs included. Costs per token and per pair are measured as in
training.py.
"""

import tempfile
from pathlib import Path

import numpy as np
from measuring import Spent, arguments, begin, conclude
from ours import TrainingCosts, batches_of, measure_training, smaller
from proteins import Pairs, gold

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
    batches = batches_of(hardware, everything, epochs=EPOCHS)
    block = smaller(everything, sorted(batches, key=len)[len(batches) // 2], options.proteins)
    with tempfile.TemporaryDirectory() as folder:
        costs = measure_training(
            hardware, everything, block, store=Path(folder), repeats=options.repeats
        )
    print(f"\n{len(fewer.members):,} against {len(everything.members):,} pairs; {parts(costs)}")
    whole, part = (epoch(hardware, costs, pairs) for pairs in (everything, fewer))
    print(f"  {part.cpu:,.0f} CPU s an epoch, then {whole.cpu:,.0f}")
    name = "cost of 8-fold pairs"
    conclude(options, [[name, f"{whole.wall / part.wall:.2f}", f"{whole.cpu / part.cpu:.2f}"]])


def epoch(hardware: Hardware, costs: TrainingCosts, pairs: Pairs) -> Spent:
    return costs.epoch(pairs, batches_of(hardware, pairs, epochs=EPOCHS), epochs=EPOCHS)


if __name__ == "__main__":
    main()
