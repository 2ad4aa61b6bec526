"""CPU time of `peftide train --seeds N` against one head, with and without stored vectors.

    python benchmarks/several_heads.py --backbones mini unirep --seeds 5 --out RUNS

Each row is two commands on the yeast pairs, one thread each, alone on the processor as far as the
scheduler allows: all else (reading, audit, baselines, intervals, report) counts too. With stored
vectors the proteins are encoded by an earlier command (`--embedding-cache`). Needs PEFTIDE_DATA
(docs/results/data.md). What is finished in --out is read, not repeated.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from recording import add_record_option, write_record

COLUMNS = ("Backbone", "Head", "Vectors", "One head, CPU s", "{} heads, CPU s", "Ratio")
FOLDER = "ppi_yeast"
TRAINING = ("--task", "ppi", "--method", "head", "--validation-kind", "none_seen", "--threads", "1")


def main() -> None:
    options = parse()
    options.out.mkdir(parents=True, exist_ok=True)
    columns = [column.format(options.seeds) for column in COLUMNS]
    rows = []
    for backbone in options.backbones:
        for vectors, head in [("encoded by the command", "mlp")] + [
            ("stored", head) for head in ("mlp", "dot", "linear")
        ]:
            one, many = (seconds(backbone, head, vectors, n, options) for n in (1, options.seeds))
            rows.append([backbone, head, vectors, f"{one:.1f}", f"{many:.1f}", f"{many / one:.2f}"])
            print(*rows[-1], sep=" · ", flush=True)
    write_record(options.record, columns, rows)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbones", nargs="+", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    add_record_option(parser)
    return parser.parse_args()


def seconds(
    backbone: str, head: str, vectors: str, seeds: int, options: argparse.Namespace
) -> float:
    """Return the CPU seconds of a command: the least of some repeats with stored vectors."""
    kept = options.out / f"{backbone}-{head}-{vectors.split()[0]}-{seeds}.json"
    if not kept.is_file():
        stored = vectors == "stored"
        times = [
            _command(backbone, head, seeds, stored=stored, options=options)
            for _ in range(options.repeats if stored else 1)
        ]
        kept.write_text(json.dumps(times))
    return min(json.loads(kept.read_text()))


def _command(
    backbone: str, head: str, seeds: int, *, stored: bool, options: argparse.Namespace
) -> float:
    data, cache = Path(os.environ["PEFTIDE_DATA"]) / FOLDER, options.out / f"{backbone}-cache"
    if not stored:
        shutil.rmtree(cache, ignore_errors=True)
    words = ["--data", str(data / "du_0_to_1.tsv"), "--sequences", str(data / "sequences.fasta")]
    words += ["--backbone", backbone, "--head", head, "--seeds", str(seeds)]
    words += ["--embedding-cache", str(cache), "--overwrite", "--out", str(options.out / "run")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "peftide", "train", *TRAINING, *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
