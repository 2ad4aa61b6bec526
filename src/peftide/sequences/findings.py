"""Findings counted while reading → the log, and a record."""

import dataclasses
import logging
from collections.abc import Iterable
from typing import Any

from peftide.sequences.records import Finding

logger = logging.getLogger(__name__)
ALARMING = frozenset({"labels_like_missing_values", "similar_classes"})
"""Kinds of findings after which a score may be wrong, so they are warnings."""


def say_findings(findings: tuple[Finding, ...]) -> None:
    """Log all findings, each with its first place; the run record holds more places."""
    for finding in findings:
        level = "warning" if finding.kind in ALARMING else "note"
        first = dataclasses.replace(finding, examples=finding.examples[:1])
        logger.warning("%s: %s", level, first)


def plain_findings(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return findings as plain values, for a record."""
    return [dataclasses.asdict(finding) for finding in findings]
