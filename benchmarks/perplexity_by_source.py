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
from recording import add_record_option, write_record

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
    add_record_option(parser)
    options = parser.parse_args()
    folder = options.backbone
    held_out = json.loads((folder / "run.json").read_text())["held_out"]
    columns = ("", "perplexity", "sequences", "residues")
    print("{:<42} {:>10} {:>10} {:>10}".format(*columns))
    shown = [
        [name, f"{row['perplexity']:.2f}", f"{row['sequences']:,}", f"{row['residues']:,}"]
        for name, row in held_out.items()
    ]
    table = pd.read_csv(folder / "held_out.tsv", sep="\t")
    table["source"] = table["id"].str[:2].map(SOURCES).fillna(OTHERS)
    table["nats"] = np.log(table["perplexity"]) * table["residues"]
    for name, rows in table.groupby("source"):
        perplexity = np.exp(rows["nats"].sum() / rows["residues"].sum())
        counts = [f"{len(rows):,}", f"{rows['residues'].sum():,}"]
        shown.append([str(name), f"{perplexity:.2f}", *counts])
    for row in shown:
        print("{:<42} {:>10} {:>10} {:>10}".format(*row))
    write_record(options.record, ("source", *columns[1:]), shown)


if __name__ == "__main__":
    main()
