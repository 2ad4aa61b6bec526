"""How many test proteins with a similar training protein does each search find?

    PEFTIDE_DATA=… python benchmarks/similarity_full.py [--sample 400]

The reference aligns each test protein with every training protein by Smith–Waterman. Needs MMseqs2;
takes about ten CPU minutes.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from recording import add_record_option, write_record
from similarity_tools import proteins

from peftide.sequences import read_fasta
from peftide.similarity import SimilaritySettings, best_hits
from peftide.similarity.smith_waterman import Alignments, known_letters
from peftide.simulate import simulate_proteome

NOTES = [
    "Test proteins that are similar to a training protein, as each search counts them. The "
    "simulated proteins are those of the demo. Of the others, a random sample (seed 0) is "
    "searched against all training proteins. `auto` is the search of `peftide audit` and "
    "`peftide train`. It aligned the simulated proteins completely, and 1,000 candidates for "
    "each of the others. The full search aligns every pair, without and with the condition "
    "that an alignment scores clearly more than one with the reversed sequence."
]
SEARCHES = {
    "pyopal, 10 candidates": SimilaritySettings(tool="pyopal", max_hits=10),
    "pyopal, 400 candidates": SimilaritySettings(tool="pyopal"),
    "MMseqs2": SimilaritySettings(tool="mmseqs"),
    "`auto`": SimilaritySettings(),
}
Texts = Sequence[str]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sample", type=int, default=400)
    add_record_option(parser)
    given = parser.parse_args()
    columns = [
        "Set",
        "Test proteins",
        "full, no reversed check",
        "full",
        *SEARCHES,
        "full and `auto`",
    ]
    rows = []
    for name, queries, targets in sets(Path(os.environ["PEFTIDE_DATA"]), given.sample):
        loose, strict = full(queries, targets)
        found = {how: found_by(queries, targets, each) for how, each in SEARCHES.items()}
        counts = [len(each) for each in (loose, strict, *found.values(), strict & found["`auto`"])]
        rows.append([name, f"{len(queries):,}", *counts])
        print(dict(zip(columns, rows[-1], strict=True)), flush=True)
    write_record(given.record, columns, rows, notes=NOTES)


def sets(data: Path, sample: int) -> Iterator[tuple[str, Texts, Texts]]:
    """Yield the name, the test sequences and the training sequences of each set."""
    proteome = simulate_proteome(0)
    test, train = ([one.sequence for one in proteome.proteins_of(p)] for p in ("test", "train"))
    yield "simulated", test, train
    table = pd.read_csv(data / "ppi_yeast" / "du_0_to_1.tsv", sep="\t")
    of = {part: names_in(table.loc[table["split"] == part]) for part in ("test", "train")}
    yield "yeast `0_to_1`", *sampled(data / "ppi_yeast", of["test"], of["train"], sample=sample)
    of = {part: proteins(data / "ppi_gold" / f"{part}.tsv") for part in ("test", "train")}
    yield "human gold standard", *sampled(data / "ppi_gold", of["test"], of["train"], sample=sample)


def names_in(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys([*table["id_a"], *table["id_b"]]))


def sampled(folder: Path, test: Texts, train: Texts, *, sample: int) -> tuple[Texts, Texts]:
    """Return a random sample of the new test sequences, and all training sequences."""
    found, _ = read_fasta(folder / "sequences.fasta")
    by_id = dict(zip(found.ids, found.sequences, strict=True))
    known = list(dict.fromkeys(by_id[name] for name in train))
    new = sorted({by_id[name] for name in test} - set(known))
    places = np.random.default_rng(0).permutation(len(new))[:sample]
    return [new[place] for place in places.tolist()], known


def found_by(queries: Texts, targets: Texts, settings: SimilaritySettings) -> set[int]:
    return set(best_hits(queries, targets, settings).query.tolist())


def full(queries: Texts, targets: Texts) -> tuple[set[int], set[int]]:
    """Return the queries with a similar target, without and with the check of reversed targets."""
    settings = SimilaritySettings(tool="pyopal")
    search = Alignments.of(targets, settings)
    everyone = np.arange(len(targets))
    loose, strict = set[int](), set[int]()
    for number, query in enumerate(map(known_letters, queries)):
        targets_of, scores = search._above_chance(query, everyone)
        for target, score in zip(targets_of.tolist(), scores.tolist(), strict=True):
            if settings.accepts(*search.spanned(query, target, score)):
                loose.add(number)
                break
        for target, score in search._significant(query, everyone):
            if settings.accepts(*search.spanned(query, target, score)):
                strict.add(number)
                break
    return loose, strict


if __name__ == "__main__":
    main()
