"""Memory of predicting many pairs in blocks, above the vectors of the proteins.

    python benchmarks/predict_blocks.py RUN --sequences S.fasta [--pairs 20000000] [--rows 100000]

RUN is a finished training on pairs. Pairs are drawn at random from the sequences. Linux only.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from recording import add_record_option, write_record

import peftide
from peftide.hardware import peak_memory_bytes, reset_peak_memory
from peftide.sequences import read_fasta

CPU = torch.device("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--pairs", type=int, default=20_000_000)
    parser.add_argument("--rows", type=int, default=100_000, help="pairs of a block")
    add_record_option(parser)
    options = parser.parse_args()
    proteins, _ = read_fasta(options.sequences)
    known = dict(zip(proteins.ids, proteins.sequences, strict=True))
    predictor = peftide.load(options.run, device="cpu")
    width = predictor.encoder.model.backbone.width
    vectors = 4 * width * len(set(proteins.sequences))
    blocks = random_pairs(np.array(proteins.ids, dtype=object), options.pairs, options.rows)
    answers = predictor.predict_blocks(blocks, known)
    before, started = reset_peak_memory(CPU), time.perf_counter()
    rows, total = 0, 0.0
    for number, block in enumerate(answers):
        if number == 0:
            encoding = peak_memory_bytes(CPU) - before
            held = reset_peak_memory(CPU)
            started = time.perf_counter()
        rows, total = rows + len(block), total + float(block["probability"].sum())
    seconds = time.perf_counter() - started
    grown = peak_memory_bytes(CPU) - held
    print(f"CPU: {torch.cpu.get_capabilities().get('cpu_name')}")
    print(f"{rows:,} pairs of {len(known):,} proteins, mean probability {total / rows:.4f}")
    print(
        f"vectors {vectors / 1e6:.0f} MB; peak of the first block, encoding {encoding / 1e6:.0f} MB"
    )
    print(f"peak of all later blocks above it: {grown / 1e6:.0f} MB")
    print(f"{rows / seconds:,.0f} pairs per second")
    columns = ["Pairs", "Blocks of", "Memory above the first block", "Pairs per second"]
    row = [f"{rows:,}", f"{options.rows:,}", f"{grown / 1e6:.0f} MB", f"{rows / seconds:,.0f}"]
    write_record(options.record, columns, [row])


def random_pairs(ids: np.ndarray, pairs: int, rows: int) -> Iterator[pd.DataFrame]:
    """Yield blocks of pairs."""
    generator = np.random.default_rng(0)
    for start in range(0, pairs, rows):
        drawn = ids[generator.integers(len(ids), size=(min(rows, pairs - start), 2))]
        yield pd.DataFrame({"id_a": drawn[:, 0], "id_b": drawn[:, 1]})


if __name__ == "__main__":
    main()
