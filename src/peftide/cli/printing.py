"""Scores as plain text tables."""

from collections.abc import Iterator, Sequence
from typing import Any


def metrics_lines(metrics: dict[str, Any]) -> Iterator[str]:
    """Yield one table: a row per metric, a column per part, the baseline beside it."""
    parts = list(metrics["splits"])
    baselines = metrics.get("baselines", {})
    header = ["", *parts, *(f"{name} ({part})" for name in baselines for part in parts)]
    rows = [header]
    for metric in _scalars(metrics["splits"][parts[0]]):
        scores = [metrics["splits"][part][metric]["value"] for part in parts]
        scores += [baselines[name][part][metric]["value"] for name in baselines for part in parts]
        rows.append([metric.replace("_", " "), *map(_number, scores)])
    yield from aligned(rows)
    counts = ", ".join(f"{part} {_count(metrics['splits'][part]):,}" for part in parts)
    yield f"examples scored: {counts}"


def _scalars(part: dict[str, Any]) -> list[str]:
    return [name for name, entry in part.items() if "value" in entry]


def _count(part: dict[str, Any]) -> int:
    return next(entry["n"] for entry in part.values() if "n" in entry)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of text with aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
