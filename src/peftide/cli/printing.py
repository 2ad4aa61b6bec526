"""Scores as plain text tables."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from peftide.cli.streams import say
from peftide.cli.terminal import width_of
from peftide.metrics import NO_EVIDENCE, difference_verdict, metric_name
from peftide.quantities import count_of

MOST_CLASSES = 20


def print_metrics(metrics: dict[str, Any]) -> None:
    """Print scores, baselines and notes, and at the end the verdict, highlighted."""
    say("\n".join(metrics_lines(metrics)))
    verdicts = [line for part in judged_parts(metrics) for line in verdict_lines(metrics, part)]
    if verdicts:
        say("")
    for style, text in verdicts:
        say(f"verdict: {text}", style=style)


def metrics_lines(metrics: dict[str, Any]) -> Iterator[str]:
    """Yield the scores of each part with intervals, then the scores of baselines and peers."""
    parts = list(metrics["splits"])
    rows = [["", *parts]]
    for metric in _scalars(metrics["splits"][parts[0]]):
        cells = [with_interval(metrics["splits"][part][metric]) for part in parts]
        rows.append([metric_name(metric), *cells])
    yield from aligned(rows)
    counts = ", ".join(f"{part} {_count(metrics['splits'][part]):,}" for part in parts)
    yield f"examples scored: {counts}"
    yield from _interval_lines(metrics.get("intervals", {}))
    for part in judged_parts(metrics):
        yield from _beside_lines(metrics, part)
    for part, sets in metrics.get("conformal", {}).items():
        yield from _set_lines(part, sets)
    yield from (f"note: {note}" for note in metrics.get("notes", []))


def judged_parts(metrics: Mapping[str, Any]) -> list[str]:
    """Return the parts to compare with others; validation only alone, as it chose the epoch."""
    parts = list(metrics["splits"])
    return [part for part in parts if part != "validation"] or parts


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
            f"{count_of(found['units'], found['unit'])} of {part}" for part, found in known.items()
        )
        level = next(iter(known.values()))["level"]
        yield f"[low, high]: {level:.0%} interval, which resamples {units}"


def _beside_lines(metrics: Mapping[str, Any], part: str) -> Iterator[str]:
    """Yield the headline score of each baseline and peer, and the model's lead over it."""
    headline = metrics.get("headline", "")
    others = metrics.get("baselines", {}) | metrics.get("peers", {})
    others = {name: others[name] for name in metrics.get("differences", {}) if name in others}
    rows = [
        [
            name,
            with_interval(found[part][headline]),
            with_interval(lead := metrics["differences"][name][part][headline], sign="+"),
            _no_evidence(lead).partition(": ")[0],
        ]
        for name, found in others.items()
        if found[part][headline]["value"] is not None
    ]
    said = {_no_evidence(metrics["differences"][name][part][headline]): None for name in others}
    if rows:
        yield ""
        yield f"{metric_name(headline)} compared with others, {part}"
        yield from aligned([["", "score", "model's lead", ""], *rows])
        yield from filter(None, said)


def verdict_lines(metrics: Mapping[str, Any], part: str) -> Iterator[tuple[str, str]]:
    """Yield style and text on the lead over the strongest baseline, if any, and over each peer."""
    headline = metrics.get("headline", "")
    best = _best_baseline(metrics, part)
    named = {} if best is None else {best: f"the best baseline, {best},"}
    named |= {name: name for name in metrics.get("peers", {})}
    for name, called in named.items():
        lead = metrics["differences"][name][part][headline]
        verdict = difference_verdict(lead)
        if verdict in ("above", "below"):
            style = "good" if verdict == "above" else "bad"
            yield style, f"{part}: {verdict} {called} by {with_interval(_unsigned(lead))}"
        elif verdict:
            reason, _, rest = verdict.partition(": ")
            rival = called.rstrip(",")
            lead_text = with_interval(lead, sign="+")
            yield "doubtful", f"{part}: {rest} from {rival}: {lead_text} ({reason})"


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


def aligned(rows: Sequence[Sequence[str]], *, width: int | None = None) -> Iterator[str]:
    r"""Yield rows of text with aligned columns: the first to the left, the others to the right.

    Intervals in brackets are aligned apart from their scores. A table that is too wide for the
    terminal becomes several tables, each with some of the columns.

    Parameters
    ----------
    width
        Columns of the terminal; None: as standard output has.

    Examples
    --------
    >>> print(*aligned([["", "test"], ["mcc", "0.5 [0.4, 0.6]"], ["n", "12"]]), sep="\n")
         test
    mcc   0.5 [0.4, 0.6]
    n      12
    """
    width = width_of(sys.stdout) if width is None else width
    names, columns = [row[0] for row in rows], range(1, len(rows[0]))
    block: list[int] = []
    for column in columns:
        wider = [*block, column]
        if block and width is not None and _width(_block(rows, wider)) > width:
            yield from _in_columns(_block(rows, block))
            wider = [column]
        block = wider
    yield from _in_columns(_block(rows, block)) if block else names


def _block(rows: Sequence[Sequence[str]], columns: Sequence[int]) -> list[list[str]]:
    """Return some columns beside the first one, without rows that are empty there."""
    chosen = [[row[0], *(row[k] for k in columns)] for row in rows]
    return [row for row in chosen if any(row[1:])] or chosen


def _width(rows: Sequence[Sequence[str]]) -> int:
    return max(map(len, _in_columns(rows)))


def _in_columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    columns = [_column([row[k] for row in rows]) for k in range(1, len(rows[0]))]
    first = max(len(row[0]) for row in rows)
    for number, row in enumerate(rows):
        cells = [row[0].ljust(first), *(column[number] for column in columns)]
        yield "  ".join(cells).rstrip()


def _column(cells: Sequence[str]) -> list[str]:
    """Return cells of one width to the right; below the title, intervals are aligned too."""
    title, *body = cells
    parts = [cell.partition(" [") for cell in body]
    number_width = max((len(number) for number, _, _ in parts), default=0)
    interval_width = max((len(bracket + rest) for _, bracket, rest in parts), default=0)
    body = [
        number.rjust(number_width) + (bracket + rest).ljust(interval_width)
        for number, bracket, rest in parts
    ]
    width = max(len(title), number_width + interval_width)
    return [cell.rjust(width) for cell in [title, *body]]
