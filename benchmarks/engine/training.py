"""LoRA training on all gold pairs: labelled pairs per second, the frozen layers' time included.

    python benchmarks/engine/training.py

ESM-2 8M architecture, LoRA r 8 on keys and values of the last two of six layers, 5 epochs. The
conventional arm is measured on several groups of pairs spread evenly by length. The knowledgeable
arm (knowledgeable.py) is measured on some padded batches of one step, without its head. peftide's
is measured on one of its blocks, the middle one by size: a sample of its proteins that is spread
evenly by length, with all of their pairs; an epoch is the sum over all blocks of what their tokens
and pairs cost. Neither arm's validation is counted.
"""

import tempfile
from pathlib import Path

import numpy as np
from conventional import PAIRS_PER_BATCH, go_through, pair_model
from knowledgeable import training_cost
from measuring import ARMS, Spent, arguments, begin, conclude, middle, ratios, spent, spread
from ours import TrainingCosts, batches_of, measure_training, smaller
from proteins import Pairs, evenly_in_groups, gold

from peftide.engine.blocks import Batch

EPOCHS = 5


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, default=24, help="conventional pairs per repeat")
    parser.add_argument("--proteins", type=int, default=96, help="proteins of peftide's batch")
    options = parser.parse_args()
    hardware = begin(options)
    pairs = gold("train")
    batches = batches_of(hardware, pairs, epochs=EPOCHS)
    batch = sorted(batches, key=len)[len(batches) // 2]
    block = smaller(pairs, batch, options.proteins)
    with tempfile.TemporaryDirectory() as folder:
        costs = measure_training(
            hardware, pairs, block, store=Path(folder), repeats=options.repeats
        )
    ours = costs.epoch(pairs, batches, epochs=EPOCHS)
    groups = conventional_groups(pairs, options.pairs, options.repeats)
    theirs = middle(groups) * len(pairs.members)
    skilled = training_cost(pairs, options.proteins, options.repeats)
    print(f"\nLoRA training, {len(pairs.members):,} pairs of {len(pairs.sequences):,} proteins")
    print(
        f"  conventional  measured {options.repeats} × {options.pairs} pairs, "
        f"{middle(groups).cpu:.2f} ({spread(groups)}) CPU s per pair\n"
        f"                an epoch: {hours(theirs)}, {rate(pairs, theirs)}, "
        f"{-(-len(pairs.members) // PAIRS_PER_BATCH):,} steps\n"
        f"  knowledgeable an epoch: {hours(skilled)}, {rate(pairs, skilled)}\n"
        f"  peftide       measured {len(block):,} pairs of {len(block.encoded(pairs.members))} "
        f"proteins: {parts(costs)}\n"
        f"                an epoch of {EPOCHS}: {hours(ours)}, {rate(pairs, ours)}, "
        f"{len(batches):,} steps, {encodings(pairs, batches):.1f} encodings of a protein"
    )
    conclude(options, [["LoRA training on gold", *ratios(theirs, skilled, ours)]], columns=ARMS)


def conventional_groups(pairs: Pairs, count: int, repeats: int) -> list[Spent]:
    """Return what a pair costs conventionally, measured on several groups of pairs."""
    lengths = pairs.tokens[pairs.members].sum(axis=1)
    model = pair_model(lora=True)
    return [
        spent(lambda chosen=group: go_through(model, pairs, chosen, train=True)) / count
        for group in evenly_in_groups(lengths, count, repeats)
    ]


def encodings(pairs: Pairs, batches: list[Batch]) -> float:
    """Return how often an epoch encodes a protein."""
    each = sum(len(batch.encoded(pairs.members)) for batch in batches)
    return each / len(np.unique(pairs.members))


def parts(costs: TrainingCosts) -> str:
    """Return what the parts cost."""
    return (
        f"frozen layers {costs.trunk.cpu * 1e6:,.0f}, trained layers {costs.fill.cpu * 1e6:,.0f} "
        f"without and {costs.encode.cpu * 1e6:,.0f} with gradients CPU µs per token, "
        f"head {costs.answer.cpu * 1e6:,.0f} CPU µs per side of a pair"
    )


def hours(time: Spent) -> str:
    return f"{time.wall / 3600:.3g} h by the clock, {time.cpu / 3600:.3g} CPU hours"


def rate(pairs: Pairs, time: Spent) -> str:
    count = len(pairs.members)
    return f"{count / time.wall:.3g} pairs/s by the clock, {count / time.cpu:.3g} per CPU second"


if __name__ == "__main__":
    main()
