"""The subject of an audit and its verdicts → one record."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peftide.auditing.kinship import Kinship
from peftide.auditing.subject import Subject
from peftide.auditing.verdicts import SEVERITIES, Verdict, judge
from peftide.sequences import Dataset
from peftide.version import __version__

FORMAT_VERSION = 1


@dataclass(frozen=True)
class AuditResult:
    """The findings of an audit.

    Attributes
    ----------
    subject
        The data set as it was read.
    verdicts
        The worst first.
    kinship
        Similar proteins across parts, or None without a search.
    """

    subject: Subject
    verdicts: tuple[Verdict, ...]
    kinship: Kinship | None

    @property
    def leaks(self) -> tuple[Verdict, ...]:
        """The verdicts for which the command line exits with 3."""
        return tuple(verdict for verdict in self.verdicts if verdict.severity == "leak")

    def record(self) -> dict[str, Any]:
        """Return the result as plain values for JSON."""
        return {
            "format_version": FORMAT_VERSION,
            "peftide": __version__,
            "counts": {
                severity: sum(verdict.severity == severity for verdict in self.verdicts)
                for severity in SEVERITIES
            },
            "parts": {
                part: {
                    "rows": len(examples),
                    "proteins": len(self.subject.proteins(part)),
                    "file": str(examples.path),
                }
                for part, examples in self.subject.dataset.parts.items()
            },
            "labels": self.subject.label_kind,
            "verdicts": [dataclasses.asdict(verdict) for verdict in self.verdicts],
            "similarity": None if self.kinship is None else _kinship_record(self, self.kinship),
        }


def audit_training(dataset: Dataset, *, pairs: bool, max_length: int | None) -> AuditResult:
    """Return the verdicts on the data of a training, without a search for similar proteins."""
    subject = Subject(dataset, pairs, max_length, trained=True)
    return AuditResult(subject, judge(subject, None), None)


def _kinship_record(result: AuditResult, kinship: Kinship) -> Mapping[str, Any]:
    settings, best = kinship.settings, kinship.hits
    return {
        "tool": best.tool,
        "identity_fraction": settings.identity_fraction,
        "coverage_fraction": settings.coverage_fraction,
        "best": [
            {
                "id": result.subject.name(int(best.query[n])),
                "train_id": result.subject.name(int(best.target[n])),
                "identity_fraction": round(float(best.identity_fraction[n]), 3),
                "coverage_fraction": round(float(best.coverage_fraction[n]), 3),
                "bits": round(float(best.score[n]), 1),
            }
            for n in range(len(best))
        ],
    }
