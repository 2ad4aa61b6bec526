"""What every benchmark shares: `--record FILE` keeps its table, from which the pages are made.

A record is JSON: command, date, machine, columns and rows (docs/generate/records.py reads it). For
a published table the file is `benchmarks/records/NAME.json`.
"""

import argparse
import json
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version
from pathlib import Path

import __main__

ROOT = Path(__file__).resolve().parents[1]


def add_record_option(parser: argparse.ArgumentParser) -> None:
    """Add `--record FILE` to the options of a benchmark."""
    parser.add_argument("--record", type=Path, metavar="FILE", help="write the table as JSON")


def write_record(
    path: Path | None,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    notes: Sequence[str] = (),
) -> None:
    """Write the table of this command as a record; without a path, do nothing."""
    if path is None:
        return
    record = {
        "command": command(),
        "date": date.today().isoformat(),
        "machine": machine(),
        "columns": list(columns),
        "rows": [[str(cell) for cell in row] for row in rows],
    }
    if notes:
        record["notes"] = list(notes)
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def command() -> str:
    """Return the command line of this process, without `--record`."""
    words = sys.argv[1:]
    if "--record" in words:
        place = words.index("--record")
        words = words[:place] + words[place + 2 :]
    module = getattr(__main__.__spec__, "name", "")
    if module.startswith("benchmarks."):
        return shlex.join(["python", "-m", module, *words])
    script = Path(sys.argv[0]).resolve().relative_to(ROOT)
    return shlex.join(["python", str(script), *words])


def machine() -> str:
    """Return processor, cores and version of PyTorch."""
    return f"{os.cpu_count()} cores of {processor()}, PyTorch {version('torch')}"


def processor() -> str:
    """Return the name of the processor."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
