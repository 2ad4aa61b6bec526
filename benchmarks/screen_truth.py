"""Where held-out true pairs rank in a screen of all pairs of their proteins.

    python benchmarks/screen_truth.py RUN --data TABLE --sequences FASTA [--embedding-cache DIR]

RUN is a model that was trained on the rows `train` of TABLE (a `split` column). All pairs of the
proteins of the rows `test` are ranked by its head. Pairs of the training rows are left out, and so
are pairs of a protein with itself. By chance, 1 % of the true pairs are among the best 1 %.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from recording import add_record_option, write_record

import peftide
from peftide.screening.pair_head import pair_scorer
from peftide.sequences.fasta import read_fasta

SHARES = (0.001, 0.01, 0.05, 0.1, 0.25, 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--embedding-cache", type=Path)
    add_record_option(parser)
    options = parser.parse_args()
    table = pd.read_csv(options.data, sep="\t", dtype={"id_a": str, "id_b": str})
    table = table[table["id_a"] != table["id_b"]]
    test = table[table["split"] == "test"]
    names = sorted({*test["id_a"], *test["id_b"]})
    proteins, _ = read_fasta(options.sequences)
    sequences = dict(zip(proteins.ids, proteins.sequences, strict=True))
    predictor = peftide.load(options.run, threads=options.threads)
    listed = tuple(sequences[name] for name in names)
    rows = predictor.encode(listed, store=options.embedding_cache).rows.float()
    model, everyone = predictor.encoder.model.eval(), slice(0, len(rows))
    with torch.inference_mode():
        scorer = pair_scorer(rows, scaling=model.scaling, pairing=model.pairing, head=model.head)
        scores = scorer.scores(everyone, everyone)
    places = {name: place for place, name in enumerate(names)}
    screened = np.triu(np.ones((len(names), len(names)), dtype=bool), 1)
    screened[pairs_of(table[table["split"] != "test"], places)] = False
    true = np.zeros_like(screened)
    true[pairs_of(test[test["label"] == 1], places)] = True
    ranked = np.argsort(-scores.numpy()[screened], kind="stable")
    found = np.cumsum(true[screened][ranked])
    lines = []
    for share in SHARES:
        count = round(share * len(found))
        kept = found[count - 1] / found[-1]
        lines.append([f"{share:.1%}", f"{count:,}", f"{kept:.1%}", f"{kept / share:.1f}"])
    columns = ["Best of all pairs", "Pairs", "True pairs among them", "Times chance"]
    print(f"{len(names):,} proteins, {len(found):,} pairs, {found[-1]:,} true and held out")
    for line in [columns, *lines]:
        print("  ".join(cell.ljust(22) for cell in line))
    write_record(options.record, columns, lines)


def pairs_of(table: pd.DataFrame, places: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of both proteins of each row that has both, the lower place first."""
    known = table[table["id_a"].isin(list(places)) & table["id_b"].isin(list(places))]
    both = np.array(
        [[places[a], places[b]] for a, b in zip(known["id_a"], known["id_b"], strict=True)]
    )
    both = np.sort(both.astype(np.int64).reshape(-1, 2), axis=1)
    return both[:, 0], both[:, 1]


if __name__ == "__main__":
    main()
