"""Score files of other tools on one labelled table: average precision, and every difference.

    python benchmarks/rescore_peers.py [LABELS NAME=SCORES …]

Without arguments: the scores that TUnA's authors deposited, on the human gold standard
(docs/results/data.md). Beside each interval the one from pairs alone, which is too narrow
because pairs share proteins, and the conservative one, which is too wide.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
from recording import add_record_option, write_record

from peftide.commands.compare_scores import labelled_table
from peftide.config import TableOptions
from peftide.evaluation.part_scores import statistic
from peftide.evaluation.peers import peer_files, read_peer
from peftide.metrics import Replicates, Units, intervals, minus, resample
from peftide.tasks import TASKS

NAME = ("average_precision",)


def main() -> None:
    labels, scores, record = arguments()
    rows_shown: list[list[str]] = []
    started = time.monotonic()
    task, options = TASKS["ppi"], TableOptions()
    part = labelled_table(labels, task, options)
    rows = part.rows()
    statistics = {
        name: statistic(rows, read_peer(path, part, columns=options))
        for name, path in scores.items()
    }
    read = time.monotonic()
    found = resample(statistics, rows.units)
    names = list(found)
    print(f"{len(rows.values):,} pairs of {rows.units.count:,} proteins, average precision")
    print(f"{'':22}  {'':7}  {'95% interval':16}  {'by pairs alone':16}  conservative")
    for name in names:
        rows_shown.append(cells(name, found[name], rows.units))
        print(line(rows_shown[-1]))
    for k, first in enumerate(names):
        for second in names[k + 1 :]:
            lead = minus(found[first], found[second])
            name = f"{first} − {second}"
            rows_shown.append(cells(name, lead, rows.units, of_differences=True))
            print(line(rows_shown[-1]))
    columns = ["Predictor", "Average precision", "95 % interval", "By pairs alone", "Conservative"]
    write_record(record, columns, rows_shown)
    print(f"reading {read - started:.1f} s, resampling {time.monotonic() - read:.1f} s")


def arguments() -> tuple[Path, dict[str, Path], Path | None]:
    """Return the labelled table, the score files by name, and the record to write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("labels", nargs="?", type=Path)
    parser.add_argument("scores", nargs="*", metavar="NAME=SCORES")
    add_record_option(parser)
    given = parser.parse_args()
    if given.labels is not None:
        return given.labels, peer_files(given.scores, [], flag="scores"), given.record
    folder = Path(os.environ["PEFTIDE_DATA"]) / "ppi_gold"
    peers = {name: folder / "peer_scores" / f"{name}.tsv" for name in ("TUnA", "ESM2-MLP")}
    return folder / "test.tsv", peers, given.record


def cells(name: str, found: Replicates, units: Units, *, of_differences: bool = False) -> list[str]:
    """Return one row of the table."""
    one = intervals(found, units, of_differences=of_differences)[NAME]
    pairs = Units(np.arange(len(units.members))[:, None], "pair")
    alone = Replicates(found.values, found.by_rows)
    naive = intervals(alone, pairs, of_differences=of_differences)[NAME]
    sign = "+" if of_differences else ""
    ends = [
        f"[{low:{sign}.4f}, {high:{sign}.4f}]"
        for low, high in (
            (one.low, one.high),
            (naive.low, naive.high),
            (one.conservative_low, one.conservative_high),
        )
    ]
    return [name, f"{found.values[NAME]:{sign}.4f}", *ends]


def line(row: list[str]) -> str:
    """Return one line of the printed table."""
    name, value, *ends = row
    return f"{name:22}  {value}  {'  '.join(f'{end:16}' for end in ends)}"


if __name__ == "__main__":
    main()
