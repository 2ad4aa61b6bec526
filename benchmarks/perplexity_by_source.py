"""Held-out perplexity of a pretrained backbone by the source of the sequences.

    python benchmarks/perplexity_by_source.py src/peftide/backbones/mini

Reads run.json and held_out.tsv, which `peftide pretrain` writes; the first two letters of an id
name its source (docs/results/data.md).
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd

SOURCES = {
    "aa": "enzymes by reaction, mostly bacteria",
    "ab": "15 proteomes",
    "ac": "Swiss-Prot: archaea, viruses, bacteria",
    "ad": "fungi (C. albicans, S. pombe)",
    "ae": "E. coli, archaea, thermophiles",
    "af": "phage virion proteins",
    "ah": "A. thaliana, yeast, E. coli",
}
OTHERS = "other sources"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("backbone", type=Path)
    folder = parser.parse_args().backbone
    record = json.loads((folder / "run.json").read_text())["held_out"]
    print(f"{'':<42} {'perplexity':>10} {'sequences':>10} {'residues':>10}")
    for name, row in record.items():
        print(
            f"{name:<42} {row['perplexity']:>10.2f} {row['sequences']:>10,} {row['residues']:>10,}"
        )
    table = pd.read_csv(folder / "held_out.tsv", sep="\t")
    table["source"] = table["id"].str[:2].map(SOURCES).fillna(OTHERS)
    table["nats"] = np.log(table["perplexity"]) * table["residues"]
    for name, rows in table.groupby("source"):
        perplexity = np.exp(rows["nats"].sum() / rows["residues"].sum())
        print(f"{name:<42} {perplexity:>10.2f} {len(rows):>10,} {rows['residues'].sum():>10,}")


if __name__ == "__main__":
    main()
