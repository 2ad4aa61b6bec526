"""`peftide sweep`."""

from collections import Counter
from collections.abc import Iterator

from peftide.cli.closing import beside, say_next, say_written
from peftide.cli.printing import aligned
from peftide.cli.streams import say
from peftide.commands.sweep import BEST, TABLE, SweepResult, sweep
from peftide.config import SweepConfig
from peftide.config.unread import Names
from peftide.report.sweep import REPORT, short

SHOWN = 5
WARNING = "The best of many trials is too good on validation; the test part has not been looked at."


def run(config: SweepConfig, given: Names) -> None:
    """Sweep, then print the best trials, the importances and the next command."""
    result = sweep(config, given=given)
    say("\n".join(sweep_lines(result)))
    say(WARNING)
    best = result.path / BEST
    say_written(trials=result.path / TABLE, best_options=best, report=result.path / REPORT)
    run = beside(result.path, "_best")
    say_next(["peftide", "train", "--config", str(best), "--out", str(run)])


def sweep_lines(result: SweepResult) -> Iterator[str]:
    """Yield the best trials and the importances as text."""
    record, counts = result.record, Counter(row["state"] for row in result.record["trials"])
    states = ", ".join(f"{n} {state}" for state, n in counts.most_common())
    yield f"{record['metric'].replace('_', ' ')} on validation; trials: {states}"
    names = list(record["space"])
    done = [
        row for row in record["trials"] if row["state"] == "complete" and row["score"] is not None
    ]
    best = sorted(done, key=lambda row: row["score"], reverse=True)[:SHOWN]
    rows = [["trial", "score", *names]]
    rows += [
        [str(row["trial"]), f"{row['score']:.3f}", *(short(row.get(name)) for name in names)]
        for row in best
    ]
    yield from aligned(rows)
    if record["importance"]:
        shares = ", ".join(f"{name} {share:.0%}" for name, share in record["importance"].items())
        yield f"importance for the score: {shares}"
