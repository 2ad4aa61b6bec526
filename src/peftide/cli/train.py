"""`peftide train`."""

from collections.abc import Iterator, Mapping
from typing import Any

from peftide.cli.audit import style_of
from peftide.cli.closing import say_next_prediction, say_written
from peftide.cli.printing import print_metrics
from peftide.cli.streams import say
from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.config.unread import Names
from peftide.outputs import read_record
from peftide.report.card import SERIOUS
from peftide.report.forms import AuditForm
from peftide.run_folder import RunFolder


def run(config: TrainConfig, given: Names) -> None:
    """Train, then print the scores, the verdicts and the next command."""
    result = train(config, given=given)
    print_metrics(result.metrics)
    folder = RunFolder(result.path)
    audit = read_record(folder.audit, AuditForm)
    if "conclusion" in audit:
        severities = [verdict["severity"] for verdict in audit["verdicts"]]
        say("\n".join(audit_lines(audit)), style=style_of(severities))
        if "note" in severities:
            say(f"  notes: section Audit of {folder.report}", wrap=False)
    say_written(run_folder=folder.path, report=folder.report)
    say_next_prediction(folder.path)


def audit_lines(audit: Mapping[str, Any]) -> Iterator[str]:
    """Yield the conclusion of the audit, and each leak and warning with advice, the worst first.

    Parts with the same severity and the same words share a line.
    """
    yield f"audit: {audit['conclusion']}"
    found: dict[tuple[str, str, str], list[str]] = {}
    for severity in SERIOUS:
        for verdict in audit["verdicts"]:
            if verdict["severity"] == severity:
                key = (severity, verdict["text"], verdict.get("advice") or "")
                found.setdefault(key, []).append(verdict["part"])
    said = ""
    for (severity, text, advice), parts in found.items():
        yield f"  {severity}: {', '.join(parts)}: {text}"
        if advice and advice != said:
            yield f"    → {advice}"
        said = advice
