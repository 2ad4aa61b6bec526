"""`peftide audit`."""

from collections.abc import Iterator, Sequence

from peftide.auditing import AuditResult, Verdict
from peftide.auditing.verdicts import DOUBTFUL
from peftide.cli.closing import (
    TABLES,
    changed_words,
    free_path,
    reading_words,
    say_next,
    say_next_training,
    say_written,
)
from peftide.cli.streams import say
from peftide.commands.audit import audit
from peftide.config import AuditConfig, SplitConfig, TrainConfig
from peftide.config.unread import Names
from peftide.files import is_pipe
from peftide.quantities import count_of, count_of_kind
from peftide.sequences.training_tables import data_files, named_files
from peftide.tasks.detection import tasks_to_choose

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
    say_next_command(config, result)
    return FINDINGS if result.leaks else 0


def style_of(severities: Sequence[str]) -> str:
    """Return the style of a conclusion from the severities of its verdicts."""
    found = [style for severity, style in OUTCOMES.items() if severity in severities]
    return found[0] if found else "good"


def say_next_command(config: AuditConfig, result: AuditResult) -> None:
    """Print the next command: split again after a leak, else train."""
    if any(is_pipe(path) for path in data_files(config)):
        return
    if result.leaks:
        tables = [getattr(config, name) for name in TABLES[:-1]]
        tables += [path for _, path in named_files(config.test)]
        words = [word for path in tables if path for word in ("--input", str(path))]
        words += reading_words(config, SplitConfig)
        if result.subject.variants is not None:
            words += ["--kind", "position"]
        say_next(["peftide", "split", *words, "--out", str(free_path("parts"))])
        return
    words = [*changed_words(config, TABLES), *reading_words(config, TrainConfig)]
    kinds = {finding.kind for finding in result.subject.dataset.findings}
    if "missing_sequences" in kinds:
        words += ["--missing", "drop"]
    say_next_training(words, tasks_of(result) if DOUBTFUL in kinds else None)


def tasks_of(result: AuditResult) -> tuple[str, ...]:
    """Return the tasks that fit the training labels; none if they need a correction."""
    subject = result.subject
    lengths = None if subject.pairs else subject.lengths[subject.members("train")[:, 0]].tolist()
    return tasks_to_choose(subject.labels("train"), lengths=lengths, pairs=subject.pairs)


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
        first = f" (for instance {verdict.examples[0]})" if verdict.examples else ""
        yield f"{_mark(verdict.severity)}  {verdict.part:{width}}  {verdict.text}{first}"
        if verdict.advice and verdict.advice != said:
            yield f"{'':7}  {'':{width}}  → {verdict.advice}"
        said = verdict.advice
    grouped = _by_text(good)
    if len(grouped) < len(good):
        yield f"{'ok':7}  {len(good):,} checks in {len(grouped):,} lines:"
    for text, parts in grouped.items():
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
