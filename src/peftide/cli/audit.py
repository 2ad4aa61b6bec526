"""`peftide audit`."""

from collections.abc import Iterator, Sequence

from peftide.auditing import AuditResult, Verdict
from peftide.cli.closing import (
    TABLES,
    changed_words,
    free_path,
    reading_words,
    say_next,
    say_written,
)
from peftide.cli.streams import say
from peftide.commands.audit import audit
from peftide.config import AuditConfig, SplitConfig, TrainConfig
from peftide.config.unread import Names
from peftide.files import is_pipe
from peftide.quantities import count_of, count_of_kind
from peftide.sequences.training_tables import data_files, named_files

FINDINGS = 3
OUTCOMES = {"leak": "bad", "warning": "doubtful"}
"""Severity, the worst first → style of the conclusion; without either it is good."""


def run(config: AuditConfig, given: Names) -> int:
    """Audit, print verdicts and next command, and return 3 if there is a leak, else 0."""
    result = audit(config, given=given)
    say("\n".join(audit_lines(result)))
    style = style_of([verdict.severity for verdict in result.verdicts])
    say(f"\nverdict: {_outcome(result)}", style=style)
    if config.out is not None:
        say_written(all_verdicts=config.out)
    say_next(*next_commands(config, result))
    return FINDINGS if result.leaks else 0


def style_of(severities: Sequence[str]) -> str:
    """Return the style of a conclusion from the severities of its verdicts."""
    found = [style for severity, style in OUTCOMES.items() if severity in severities]
    return found[0] if found else "good"


def next_commands(config: AuditConfig, result: AuditResult) -> list[list[str]]:
    """Return the next command: split again after a leak, else train."""
    if any(is_pipe(path) for path in data_files(config)):
        return []
    if result.leaks:
        tables = [getattr(config, name) for name in TABLES[:-1]]
        tables += [path for _, path in named_files(config.test)]
        words = [word for path in tables if path for word in ("--input", str(path))]
        words += reading_words(config, SplitConfig)
        return [["peftide", "split", *words, "--out", str(free_path("parts"))]]
    words = [*changed_words(config, TABLES), *reading_words(config, TrainConfig)]
    if any(finding.kind == "missing_sequences" for finding in result.subject.dataset.findings):
        words += ["--missing", "drop"]
    return [["peftide", "train", *words, "--out", str(free_path("my_run"))]]


def audit_lines(result: AuditResult) -> Iterator[str]:
    """Yield the parts, and one verdict per line with advice below."""
    for part, examples in result.subject.dataset.parts.items():
        rows = count_of_kind(len(examples), result.subject.what)
        proteins = count_of(len(result.subject.proteins(part)), "distinct protein")
        yield f"{part}: {rows}, {proteins}"
    yield ""
    good = [verdict for verdict in result.verdicts if verdict.severity == "ok"]
    found = [verdict for verdict in result.verdicts if verdict.severity != "ok"]
    width = max(len(verdict.part) for verdict in result.verdicts)
    said = ""
    for verdict in found:
        yield f"{_mark(verdict.severity)}  {verdict.part:{width}}  {verdict.text}"
        if verdict.advice and verdict.advice != said:
            yield f"{'':7}  {'':{width}}  → {verdict.advice}"
        said = verdict.advice
    for text, parts in _by_text(good).items():
        yield f"{'ok':7}  {', '.join(parts)}: {text}"


def _mark(severity: str) -> str:
    return f"{'LEAK' if severity == 'leak' else severity:7}"


def _by_text(verdicts: Sequence[Verdict]) -> dict[str, list[str]]:
    """Group the parts by the text of their "ok" verdicts."""
    parts: dict[str, list[str]] = {}
    for verdict in verdicts:
        parts.setdefault(verdict.text, []).append(verdict.part)
    return parts


def _outcome(result: AuditResult) -> str:
    if not result.leaks:
        return result.conclusion
    return f"{result.conclusion}: scores on this split overestimate performance on new proteins"
