"""`peftide compare`."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from peftide.cli.closing import say_next_prediction, say_written
from peftide.cli.printing import aligned, with_interval
from peftide.cli.streams import say
from peftide.commands.compare import BEST, TABLE, CompareResult, compare
from peftide.config import CompareConfig
from peftide.config.unread import Names
from peftide.metrics import metric_name
from peftide.quantities import duration
from peftide.report.comparison import REPORT
from peftide.report.summary_forms import BASELINE

TIMES = (
    "time: of one training; the first that needs the outputs of frozen layers computes them for all"
)

USELESS = "No model is better than the best baseline: do not rely on predictions yet."


def run(config: CompareConfig, given: Names) -> None:
    """Compare, then print the leaderboard, the verdict and the next command."""
    begun = time.monotonic()
    result = compare(config, given=given)
    say("\n".join(leaderboard_lines(result)))
    total = duration(time.monotonic() - begun)
    say(f"this call: {total}, which includes planning, reading and the comparison of the scores")
    say("")
    for sentence in result.record["verdict"]:
        say(f"verdict: {sentence}", style="strong")
    say_written(leaderboard=result.path / TABLE, report=result.path / REPORT)
    best = result.path / BEST
    doubt = "" if is_useful(result.record) else USELESS
    say_next_prediction(best, doubt=doubt)


def is_useful(record: Mapping[str, Any]) -> bool:
    """Return whether the chosen model is above the best baseline, or there is none."""
    best = next((row for row in record["rows"] if row["status"] == BASELINE), None)
    return best is None or best.get("verdict") in (None, "", "below")


def leaderboard_lines(result: CompareResult) -> Iterator[str]:
    """Yield the leaderboard as text."""
    record = result.record
    metric = metric_name(record["metric"])
    header = ["", "backbone", metric, "minus the chosen", "parameters", "memory", "time"]
    rows = [_cells(row) for row in record["rows"] if row["score"] is not None]
    yield f"{metric} on {record['part']}"
    yield from aligned([header, *rows])
    yield TIMES
    yield from (f"note: {note}" for note in record.get("notes", ()))


def _cells(row: Mapping[str, Any]) -> list[str]:
    score = {"value": row["score"], "low": row.get("low"), "high": row.get("high")}
    gap = {"value": row.get("difference")}
    gap |= {"low": row.get("difference_low"), "high": row.get("difference_high")}
    is_model = "seconds" in row
    return [
        row["method"],
        _place(row) if is_model else "–",
        with_interval(score),
        with_interval(gap, sign="+"),
        f"{row['trained_parameters']:,}" if is_model else "–",
        f"{row['memory_mb']:,} MB" if is_model else "–",
        duration(row["seconds"]) if is_model else "–",
    ]


def _place(row: Mapping[str, Any]) -> str:
    layer = row.get("layer", "last")
    return row["backbone"] if layer == "last" else f"{row['backbone']}, layer {layer}"
