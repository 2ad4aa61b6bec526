"""How much of a screen's best a short list keeps, against all pairs scored by the trained head.

    python benchmarks/shortlist.py RUN --sequences FASTA [--proteins 2500] [--embedding-cache DIR]

RUN is a trained model for interactions. All pairs of the first proteins are scored twice: by its
head, and by the dot head that imitates it.
"""

import argparse
import tempfile
import time
from pathlib import Path

import torch
from recording import add_record_option, write_record

import peftide
from peftide.screening.imitation import imitate
from peftide.screening.pair_head import pair_scorer
from peftide.sequences.fasta import read_fasta

LISTS = (20, 50, 100, 200)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--proteins", type=int, default=2_500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--embedding-cache", type=Path)
    add_record_option(parser)
    options = parser.parse_args()
    predictor = peftide.load(options.run, threads=options.threads)
    proteins, _ = read_fasta(options.sequences)
    sequences = tuple(dict.fromkeys(proteins.sequences))[: options.proteins]
    rows = predictor.encode(sequences, store=options.embedding_cache).rows.float()
    model, everyone = predictor.encoder.model.eval(), slice(0, len(rows))
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        scaled = model.scaling(rows)
        head = pair_scorer(rows, scaling=model.scaling, pairing=model.pairing, head=model.head)
        started = time.process_time()
        fast = imitate(head, scaled, path=Path(folder) / "i.safetensors", key="k")
        learned = time.process_time() - started
        wanted, found = (one.scores(everyone, everyone) for one in (head, fast))
    wanted, found = wanted.clone(), found.clone()
    upper = torch.triu_indices(len(rows), len(rows), 1).unbind()
    best = wanted[upper].topk(len(upper[0]) // 100).indices
    tenth = torch.zeros(len(upper[0]), dtype=torch.bool)
    tenth[found[upper].topk(len(upper[0]) // 10).indices] = True
    table = [["best 1 % of all pairs", "10 % of all pairs", f"{tenth[best].float().mean():.1%}"]]
    partners = wanted.fill_diagonal_(-torch.inf).topk(10, dim=1).indices
    found.fill_diagonal_(-torch.inf)
    for length in LISTS:
        listed = torch.zeros_like(found, dtype=torch.bool)
        listed.scatter_(1, found.topk(length, dim=1).indices, value=True)
        kept = (listed | listed.T).gather(1, partners).float().mean()
        table.append(
            ["best 10 partners of each protein", f"{length} of each protein", f"{kept:.1%}"]
        )
    columns = ["Wanted", "Scored again by the trained head", "Found"]
    print(f"{len(rows):,} proteins; the imitation was learned in {learned:.0f} CPU seconds")
    for row in [columns, *table]:
        print("  ".join(cell.ljust(34) for cell in row))
    write_record(options.record, columns, table)


if __name__ == "__main__":
    main()
