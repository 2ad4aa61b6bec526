"""Residues per second of frozen embedding, against padded batches.

    python benchmarks/engine/embedding.py --architecture esm2_t6_8M
    python benchmarks/engine/embedding.py --architecture esm2_t12_35M --proteins 32

Yeast proteins of at most 1,022 residues, random weights (speed does not depend on them). Every
arm runs on a sample of the whole proteome's work: peftide on proteins spread evenly by length, the
padded arms on batches of the whole proteome spread evenly by their padded size.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from conventional import esm, padded_means
from measuring import Spent, arguments, begin, conclude, hardware_for, middle, spent, spread
from ours import SHAPES, encoder_of
from proteins import evenly, tokens_of, yeast

PADDED = {"padded 8, file order, fp32": (8, False), "padded 16, sorted, fp32": (16, True)}


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--architecture", choices=SHAPES, default="esm2_t6_8M")
    parser.add_argument("--proteins", type=int, default=64)
    options = parser.parse_args()
    begin(options)
    sequences = yeast()
    print(f"\nembedding, {options.architecture}, {len(sequences):,} yeast proteins", flush=True)
    arms: dict[str, tuple[Callable[[], Callable[[], None]], float]] = {}
    chosen = evenly(tokens_of(sequences), options.proteins)
    for precision in ("bf16", "fp32"):
        arms[f"peftide {precision}"] = (
            lambda p=precision: ours(options, p, [sequences[i] for i in chosen]),
            len(chosen) / len(sequences),
        )
    for name, (size, ordered) in PADDED.items():
        batches, share = padded_batches(sequences, size, ordered, options.proteins)
        arms[name] = (lambda b=batches: padded(options.architecture, b), share)
    found: dict[str, list[Spent]] = {name: [] for name in arms}
    for _ in range(options.repeats):
        for name, (prepare, share) in arms.items():
            found[name].append(spent(prepare()) / share)
    conclude(options, report(found, sum(map(len, sequences))))


def padded_batches(
    sequences: list[str], size: int, ordered: bool, proteins: int
) -> tuple[list[list[str]], float]:
    """Return some of the padded batches of all sequences, and which share of them these are."""
    texts = sorted(sequences, key=len) if ordered else sequences
    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    sizes = np.array([len(batch) * max(map(len, batch)) for batch in batches])
    chosen = evenly(sizes, proteins // size)
    return [batches[i] for i in chosen], len(chosen) / len(batches)


def ours(options, precision: str, texts: list[str]) -> Callable[[], None]:
    encoder = encoder_of(options.architecture, hardware_for(options, precision), lora=False)
    return lambda: None if encoder.embed(texts) else None


def padded(architecture: str, batches: Sequence[list[str]]) -> Callable[[], None]:
    model = esm(architecture)

    def work() -> None:
        with torch.inference_mode():
            for batch in batches:
                padded_means(model, batch)

    return work


def report(found: dict[str, list[Spent]], residues: int) -> list[list[str]]:
    """Print residues per second of each arm; return the ratios."""
    whole = {name: middle(times) for name, times in found.items()}
    for name, times in found.items():
        print(
            f"  {name:<28} {residues / whole[name].wall:8,.0f} residues/s by the clock, "
            f"{residues / whole[name].cpu:8,.0f} per CPU second "
            f"(all proteins: {spread(times)} CPU seconds)"
        )
    rows = []
    for other in PADDED:
        for precision in ("bf16", "fp32"):
            slow, fast = whole[other], whole[f"peftide {precision}"]
            name = f"embedding, peftide {precision} against {other}"
            rows.append([name, f"{slow.wall / fast.wall:.1f}", f"{slow.cpu / fast.cpu:.1f}"])
    return rows


if __name__ == "__main__":
    main()
