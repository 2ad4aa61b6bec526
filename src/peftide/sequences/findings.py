"""Findings counted while reading → the log, and a record."""

import dataclasses
import logging
from collections.abc import Iterable
from typing import Any

from peftide.quantities import count_of_kind
from peftide.sequences.records import Finding

logger = logging.getLogger(__name__)
ALARMING = frozenset({"labels_like_missing_values", "similar_classes"})
"""Kinds of findings after which a score may be wrong, so they are warnings."""


def say_findings(findings: tuple[Finding, ...]) -> None:
    """Log all findings; the run record holds examples of each."""
    for finding in findings:
        found = count_of_kind(finding.count, finding.kind)
        level = "warning" if finding.kind in ALARMING else "note"
        logger.warning("%s: %s: %s: %s", level, finding.part, found, finding.decision)


def plain_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain values, for a record."""
    return [dataclasses.asdict(finding) for finding in findings]
