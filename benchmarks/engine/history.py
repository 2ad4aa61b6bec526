"""The engine's speed by commit: every version of its records in the history of this repository.

    python benchmarks/engine/history.py --record benchmarks/records/engine-history.json \\
        --picture docs/images/engine-history.svg

A commit that changed the engine has new records of `embedding.py`, `predict.py` or `training.py`.
Rows of one CPU compare with each other; ratios to an arm of the same run compare best.
"""

import argparse
import json
import math
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from measuring import add_record_option, write_record

ROOT = Path(__file__).resolve().parents[2]

RECORDS = ("engine-embedding", "engine-embedding-amx", "engine-embedding-vnni", "engine-speed")
CPUS = {"AMX": "AMX", "without bf16": "VNNI, no bf16", "": "AVX-512 bf16"}
"""What the machine of a record says → its CPU."""
SPEEDS = {"`predict`": "predict", "LoRA training on gold": "LoRA training"}
COLUMNS = ("Commit", "Date", "CPU", "Measure", "Times faster", "than")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path, help="SVG file")
    add_record_option(parser)
    options = parser.parse_args()
    rows = [row for name in RECORDS for row in versions(f"benchmarks/records/{name}.json")]
    rows.sort(key=lambda row: (row[3], row[5], row[1]))
    for row in rows:
        print(" · ".join(row))
    write_record(options.record, COLUMNS, rows)
    if options.picture is not None:
        draw(rows, options.picture)


def versions(path: str) -> Iterator[list[str]]:
    """Yield the rows of each version of a record that differ from the version before."""
    log = git("log", "--reverse", "--format=%h %as", "--", path)
    seen: set[tuple[str, ...]] = set()
    for line in log.splitlines():
        commit, date = line.split()
        record = json.loads(git("show", f"{commit}:{path}"))
        cpu = next(name for words, name in CPUS.items() if words in record["machine"])
        for measured in ratios(record):
            if measured not in seen:
                yield [commit, date, cpu, *measured]
            seen.add(measured)


def ratios(record: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield measure, ratio and the compared arm."""
    for row in record["rows"]:
        cells = dict(zip(record["columns"], row, strict=True))
        precision = cells.get("Arm", "").removeprefix("peftide, ")
        if precision in ("bf16", "int8"):
            name = f"embedding, {cells['Architecture']}"
            name += ", int8" if precision == "int8" else ""
            yield name, cells["Times knowledgeable"], "knowledgeable"
        for start, name in SPEEDS.items():
            if row[0].startswith(start):
                found = next(cell for cell in row if re.fullmatch(r"\*\*[\d.]+\*\*", cell))
                yield name, found.strip("*"), "conventional"


def git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout


def draw(rows: list[list[str]], path: Path) -> None:
    """Draw a bar for each row, on a logarithmic scale."""
    high, left, width = 20, 400, 300
    most = max(math.log(float(row[4])) for row in rows)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 840 {high * len(rows) + 8}" '
        'font-family="sans-serif" font-size="11" role="img" aria-label="Speed by commit">',
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, (commit, date, cpu, name, ratio, arm) in enumerate(rows):
        y, length = high * number + 18, width * math.log(float(ratio)) / most
        color = "#4477aa" if arm == "knowledgeable" else "#228833"
        lines += [
            f'<text x="{left - 8}" y="{y}" text-anchor="end">{name}, {cpu}, {date} {commit}</text>',
            f'<rect x="{left}" y="{y - 11}" width="{length:.1f}" height="14" fill="{color}"/>',
            f'<text x="{left + length + 5:.1f}" y="{y}">{ratio} × {arm}</text>',
        ]
    path.write_text("\n".join([*lines, "</svg>"]) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
