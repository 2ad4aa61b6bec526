"""Do MMseqs2 and pyopal find the same similar proteins? Test against train of the gold standard.

    PEFTIDE_DATA=… python benchmarks/similarity_tools.py [--tools mmseqs pyopal]

Prints the pairs and test proteins each finds by the default rule, its CPU time, and what both find.
Needs MMseqs2; takes four CPU minutes.
"""

import argparse
import os
import resource
from pathlib import Path

import pandas as pd
from recording import add_record_option, write_record

from peftide.sequences import read_fasta
from peftide.similarity import Hits, SimilaritySettings, search


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tools", nargs="+", default=["mmseqs", "pyopal"])
    add_record_option(parser)
    given = parser.parse_args()
    tools, rows = given.tools, []
    folder = Path(os.environ["PEFTIDE_DATA"]) / "ppi_gold"
    found, _ = read_fasta(folder / "sequences.fasta")
    by_id = dict(zip(found.ids, found.sequences, strict=True))
    queries, targets = (
        [by_id[name] for name in proteins(folder / f"{part}.tsv")] for part in ("test", "train")
    )
    print(f"{len(queries):,} test proteins against {len(targets):,} of train")
    pairs = {}
    for tool in tools:
        before = cpu_seconds()
        hits = search(queries, targets, SimilaritySettings(tool=tool))
        pairs[tool] = as_pairs(hits)
        seconds = f"{cpu_seconds() - before:.0f}"
        print(f"{hits.tool}: {of(pairs[tool])}, {seconds} CPU s", flush=True)
        rows.append([hits.tool, *sizes(pairs[tool]), seconds])
    if len(tools) > 1:
        both = set.intersection(*pairs.values())
        print(f"both: {of(both)}")
        rows.append(["both", *sizes(both), ""])
    write_record(given.record, ["Tool", "Pairs", "Test proteins", "CPU s"], rows)


def proteins(path: Path) -> list[str]:
    table = pd.read_csv(path, sep="\t")
    return list(dict.fromkeys([*table["id_a"], *table["id_b"]]))


def as_pairs(hits: Hits) -> set[tuple[int, int]]:
    return set(zip(hits.query.tolist(), hits.target.tolist(), strict=True))


def sizes(pairs: set[tuple[int, int]]) -> tuple[int, int]:
    """Return the number of pairs, and of their queries."""
    return len(pairs), len({query for query, _ in pairs})


def of(pairs: set[tuple[int, int]]) -> str:
    count, queries = sizes(pairs)
    return f"{count} pairs of {queries} test proteins"


def cpu_seconds() -> float:
    """User and system time of this process and of the programs it started."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


if __name__ == "__main__":
    main()
