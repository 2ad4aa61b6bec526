"""`peftide audit`."""

from collections.abc import Iterator, Sequence

from peftide.auditing import AuditResult, Verdict
from peftide.cli.streams import say
from peftide.commands.audit import audit
from peftide.config import AuditConfig
from peftide.config.unread import Names

FINDINGS = 3


def run(config: AuditConfig, given: Names) -> int:
    """Audit, print the verdicts, and return 3 if there is a leak, else 0."""
    result = audit(config, given=given)
    say("\n".join(audit_lines(result)))
    if config.out is not None:
        say(f"all of it, machine-readable: {config.out}")
    return FINDINGS if result.leaks else 0


def audit_lines(result: AuditResult) -> Iterator[str]:
    """Yield the parts, one verdict per line with advice below, and the outcome."""
    for part, examples in result.subject.dataset.parts.items():
        proteins = len(result.subject.proteins(part))
        yield f"{part}: {len(examples):,} {result.subject.what}, {proteins:,} distinct proteins"
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
    yield ""
    yield _outcome(result)


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
