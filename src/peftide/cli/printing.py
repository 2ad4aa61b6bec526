"""Scores as plain text tables."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from peftide.metrics import NO_EVIDENCE, difference_verdict

MOST_CLASSES = 20


def metrics_lines(metrics: dict[str, Any]) -> Iterator[str]:
    """Yield the scores of each part with intervals, then the scores of baselines and peers."""
    parts = list(metrics["splits"])
    rows = [["", *parts]]
    for metric in _scalars(metrics["splits"][parts[0]]):
        cells = [with_interval(metrics["splits"][part][metric]) for part in parts]
        rows.append([metric.replace("_", " "), *cells])
    yield from aligned(rows)
    counts = ", ".join(f"{part} {_count(metrics['splits'][part]):,}" for part in parts)
    yield f"examples scored: {counts}"
    yield from _interval_lines(metrics.get("intervals", {}))
    # validation chose the epoch, so a lead on it says little
    for part in [part for part in parts if part != "validation"] or parts:
        yield from _beside_lines(metrics, part)
    for part, sets in metrics.get("conformal", {}).items():
        yield from _set_lines(part, sets)
    yield from (f"note: {note}" for note in metrics.get("notes", []))


def _scalars(part: dict[str, Any]) -> list[str]:
    return [name for name, entry in part.items() if "value" in entry]


def _count(part: dict[str, Any]) -> int:
    return next(entry["n"] for entry in part.values() if "n" in entry)


def with_interval(entry: Mapping[str, Any], *, sign: str = "") -> str:
    """Return a score and its interval, `0.618 [0.602, 0.634]`; a dash if it is undefined."""
    if entry["value"] is None:
        return "–"
    if isinstance(entry["value"], int):  # a count
        return f"{entry['value']:,}"
    value = _three(entry["value"], sign)
    if entry["low"] is None:
        return value
    return f"{value} [{_three(entry['low'], sign)}, {_three(entry['high'], sign)}]"


def _three(number: float, sign: str) -> str:
    return f"{round(number, 3) + 0.0:{sign}.3f}"  # never −0.000


def _interval_lines(intervals: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the level of the intervals and the resampled units."""
    known = {part: found for part, found in intervals.items() if found["reason"] is None}
    if known:
        units = ", ".join(
            f"{part} {found['units']:,} {found['unit']}s" for part, found in known.items()
        )
        level = next(iter(known.values()))["level"]
        yield f"in brackets: {level:.0%} intervals from resampling {units}"


def _beside_lines(metrics: Mapping[str, Any], part: str) -> Iterator[str]:
    """Yield the headline score of each baseline and peer, and the model's lead over it."""
    headline = metrics.get("headline", "")
    others = metrics.get("baselines", {}) | metrics.get("peers", {})
    rows = [
        [
            name,
            with_interval(found[part][headline]),
            with_interval(lead := metrics["differences"][name][part][headline], sign="+"),
            _no_evidence(lead),
        ]
        for name, found in others.items()
    ]
    if rows:
        yield ""
        yield f"{headline.replace('_', ' ')} compared with others, {part}"
        yield from aligned([["", "score", "model's lead", ""], *rows])
        yield from _standing_lines(metrics, part)


def _standing_lines(metrics: Mapping[str, Any], part: str) -> Iterator[str]:
    """Yield the model's lead over the strongest baseline, if there is one, and over each peer."""
    headline = metrics.get("headline", "")
    best = _best_baseline(metrics, part)
    named = {} if best is None else {best: f"the best baseline, {best},"}
    named |= {name: name for name in metrics.get("peers", {})}
    for name, called in named.items():
        lead = metrics["differences"][name][part][headline]
        verdict = difference_verdict(lead)
        if verdict in ("above", "below"):
            yield f"{verdict} {called} by {with_interval(_unsigned(lead))}"
        elif verdict:
            reason, _, rest = verdict.partition(": ")
            rival = called.rstrip(",")
            yield f"{rest} from {rival}: {with_interval(lead, sign='+')} ({reason})"


def _best_baseline(metrics: Mapping[str, Any], part: str) -> str | None:
    headline = metrics.get("headline", "")
    scores = {name: found[part][headline] for name, found in metrics.get("baselines", {}).items()}
    known = {name: entry["value"] for name, entry in scores.items() if entry["value"] is not None}
    return max(known, key=lambda name: known[name], default=None)


def _unsigned(lead: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a difference with its sign reversed if it is negative."""
    if lead["value"] >= 0 or lead["low"] is None:
        return {**lead, "value": abs(lead["value"])}
    return {"value": -lead["value"], "low": -lead["high"], "high": -lead["low"]}


def _no_evidence(lead: Mapping[str, Any]) -> str:
    verdict = difference_verdict(lead)
    return verdict if NO_EVIDENCE in verdict else ""


def _set_lines(part: str, sets: Mapping[str, Any]) -> Iterator[str]:
    """Yield the sizes and coverage of prediction sets."""
    yield ""
    yield (
        f"prediction sets, {part}, error rate {sets['error_rate']:g}: mean size "
        f"{sets['mean_size']:.2f}, one class {sets['single']:.1%}, empty {sets['empty']:.1%}"
    )
    rows = [
        [
            f"class {name}",
            "–" if found["value"] is None else f"{found['value']:.3f}",
            f"{found['n']:,}",
        ]
        for name, found in sets["coverage"].items()
        if found["n"]
    ]
    yield from aligned([["", "coverage", "examples"], *rows])


def aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows of text with aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        yield "  ".join(cells).rstrip()
