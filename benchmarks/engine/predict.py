"""`predict` on all gold test pairs: every protein encoded once, then the head on vectors.

    python benchmarks/engine/predict.py

The conventional arm is measured on groups of pairs spread evenly by length. The knowledgeable arm
encodes each protein once too, sorted and padded, and has the same head. peftide encodes a
sample of the proteins, spread evenly by length, and answers all pairs. Reading and writing
tables is in neither arm.
"""

import numpy as np
import torch
from conventional import go_through, pair_model
from knowledgeable import embedding_cost
from measuring import ARMS, Spent, arguments, begin, conclude, middle, ratios, spent, spread
from ours import encoder_of
from proteins import Pairs, evenly, evenly_in_groups, gold

from peftide.encoding import ModelEncoder
from peftide.engine.embedding import Embeddings
from peftide.predictor import answer_rows


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--pairs", type=int, default=24, help="conventional pairs per repeat")
    parser.add_argument("--proteins", type=int, default=96, help="proteins that peftide encodes")
    options = parser.parse_args()
    hardware = begin(options)
    pairs = gold("test")
    lengths = pairs.tokens[pairs.members].sum(axis=1)
    model = pair_model(lora=False)
    encoder = encoder_of("esm2_t6_8M", hardware, lora=True)
    chosen = evenly(pairs.tokens, options.proteins)
    ours, encoding, theirs = [], [], []
    for group in evenly_in_groups(lengths, options.pairs, options.repeats):
        theirs.append(spent(lambda g=group: go_through(model, pairs, g, train=False)) / len(group))
        encoded, answered = predict(encoder, pairs, chosen)
        encoding.append(encoded)
        ours.append(encoded + answered)
    slow, fast = middle(theirs) * len(pairs.members), middle(ours)
    skilled = embedding_cost(pairs, options.proteins, options.repeats)
    skilled += fast - middle(encoding)
    print(
        f"\npredict, {len(pairs.members):,} test pairs of {len(pairs.sequences):,} proteins\n"
        f"  conventional  measured {options.repeats} × {options.pairs} pairs, "
        f"{middle(theirs).cpu:.2f} ({spread(theirs)}) CPU s per pair; all: {minutes(slow)}\n"
        f"  knowledgeable all: {minutes(skilled)}\n"
        f"  peftide       measured {len(chosen)} proteins and all pairs; "
        f"all: {minutes(fast)}, of which encoding {minutes(middle(encoding))}"
    )
    name = "predict on all gold test pairs"
    conclude(options, [[name, *ratios(slow, skilled, fast)]], columns=ARMS)


def predict(encoder: ModelEncoder, pairs: Pairs, chosen: np.ndarray) -> tuple[Spent, Spent]:
    """Return what encoding all proteins costs, from those chosen; and answering all pairs."""
    found: list[Embeddings] = []
    texts = [pairs.sequences[p] for p in chosen]
    encoding = spent(lambda: found.append(encoder.embed(texts)))
    share = pairs.tokens[chosen].sum() / pairs.tokens.sum()
    proteins = len(pairs.sequences)
    rows = found[0].rows[torch.arange(proteins) % len(chosen)]
    everything = Embeddings(rows, np.arange(proteins + 1))
    device = encoder.hardware.device
    return encoding / share, spent(
        lambda: answer_rows(encoder.model, everything, pairs.members, device=device)
    )


def minutes(time: Spent) -> str:
    return f"{time.wall / 60:.3g} min by the clock, {time.cpu / 60:.3g} CPU min"


if __name__ == "__main__":
    main()
