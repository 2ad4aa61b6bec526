"""What training the backbone gains over a frozen one: here, and as published for ESM-2.

    python benchmarks/study.py --out RUNS --sets gb1 stability secondary_structure deeploc10
    python benchmarks/published_gains.py --out RUNS

Reads the comparisons of benchmarks/study.py, and the scores of each seed of Schmirler et al. 2024
(doi 10.1038/s41467-024-51844-2). Needs PEFTIDE_DATA (docs/results/data.md).
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from methods import data
from recording import add_record_option, write_record
from study import gain, score

PUBLISHED = {
    "gb1": "gb1_three_vs_rest",
    "stability": "stability",
    "secondary_structure": "secondary_structure",
    "deeploc10": "subcellular_location_10",
}
"""Set → its name in the published table."""
FROZEN, LORA = "frozen_embedding+head", "LoRA"
FULL = "finetuned(full for ESM2<=650M; LoRA for ESM2-3B,ProtT5,Ankh)"
LARGEST_FULL = 700_000_000
"""Parameters up to which the authors trained all weights of ESM-2."""
COLUMNS = ("Set", "Metric", "Backbone", "Frozen, head", "LoRA minus head", "Full minus head")


def main() -> None:
    """Print one row per set and backbone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", choices=PUBLISHED, default=list(PUBLISHED))
    parser.add_argument("--backbones", nargs="+", default=["mini", "unirep"])
    parser.add_argument("--out", type=Path, required=True, help="that of benchmarks/study.py")
    add_record_option(parser)
    options = parser.parse_args()
    published = pd.read_csv(data("tasks/published_schmirler2024.tsv"), sep="\t")
    rows = []
    for name in options.sets:
        found = json.loads((options.out / name / "comparison.json").read_text())
        rows += [measured(name, found, backbone) for backbone in options.backbones]
        rows += published_rows(name, published)
    for row in rows:
        print(" | ".join(row))
    write_record(options.record, COLUMNS, rows)


def measured(name: str, found: dict[str, Any], backbone: str) -> list[str]:
    """Return the scores of `peftide compare` on a sample of a set."""
    gains = [gain(found, method, backbone) for method in ("lora", "full")]
    frozen = next(row for row in found["rows"] if row["name"] == f"head_{backbone}")
    return [name, found["metric"], f"`{backbone}`, sample", score(frozen), *gains]


def published_rows(name: str, published: pd.DataFrame) -> Iterator[list[str]]:
    """Yield the means over the published seeds of each ESM-2, on the whole set."""
    is_shown = (published["model"] == "ESM2") & (published["params"] < LARGEST_FULL)
    of_set = published[is_shown & (published["task"] == PUBLISHED[name])]
    for size, rows in of_set.groupby("params"):
        seeds = rows.groupby("training")["value"]
        mean, deviation = seeds.mean(), seeds.std()
        gains = [
            f"{mean[way] - mean[FROZEN]:+.3f} (± {deviation[way]:.3f})" for way in (LORA, FULL)
        ]
        frozen = f"{mean[FROZEN]:.3f} (± {deviation[FROZEN]:.3f})"
        yield [name, rows["metric"].iloc[0], f"ESM-2 {size / 1e6:.0f}M, published", frozen, *gains]


if __name__ == "__main__":
    main()
