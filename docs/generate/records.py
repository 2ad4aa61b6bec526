"""A record of a measurement (JSON beside the benchmarks) → its table, with its origin.

A record is a JSON object: `command` (one or more), `date`, `machine`, `columns` and `rows`, and
maybe `notes`. Rows hold text or numbers; notes are sentences with further numbers of the
measurement. `benchmarks/recording.py` writes such records.
"""

import json
import re
from pathlib import Path
from typing import Any

RECORDS = Path(__file__).resolve().parents[2] / "benchmarks" / "records"
KEYS = {"command", "date", "machine", "columns", "rows"}


def read_record(name: str) -> dict[str, Any]:
    """Read a record, and check its form.

    Raises
    ------
    ValueError
        If a key is missing, or a row has another number of cells than there are columns.
    """
    path = RECORDS / f"{name}.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    missing = sorted(KEYS - record.keys())
    if missing:
        raise ValueError(f"{path.name}: no {', '.join(missing)}")
    width = len(record["columns"])
    wrong = [row for row in record["rows"] if len(row) != width]
    if wrong:
        raise ValueError(
            f"{path.name}: a row of {len(wrong[0])} cells, {width} columns: {wrong[0]}"
        )
    return record


def record_table(name: str) -> str:
    """Return a record as a Markdown table, followed by command, machine and date."""
    record = read_record(name)
    lines = [record["columns"], ["---"] * len(record["columns"]), *record["rows"]]
    table = "\n".join("| " + " | ".join(map(unbroken, line)) + " |" for line in lines)
    listed = record["command"] if isinstance(record["command"], list) else [record["command"]]
    given = "<br>".join(f"<code>{text(command)}</code>" for command in listed)
    origin = f"{given}<br>{text(record['machine'])}; {record['date']}. "
    footer = f'<p class="record">{origin}Record: <code>benchmarks/records/{name}.json</code></p>'
    return "\n\n".join([table, *record.get("notes", []), footer])


def unbroken(cell: object) -> str:
    """Return a cell whose intervals and percentages stay on one line."""
    return re.sub(r"(?<=\d,) (?=[+−-]?\d[\d.]*\])| (?=%)", "\u00a0", str(cell))


def text(plain: str) -> str:
    """Return plain text as HTML."""
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
