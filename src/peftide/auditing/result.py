"""The subject of an audit and its verdicts → one record."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from peftide.auditing.across import judged_shared
from peftide.auditing.kinship import Kinship, judged_similar
from peftide.auditing.subject import Subject
from peftide.auditing.variants import known_to_be_similar
from peftide.auditing.verdict import conclusion
from peftide.auditing.verdicts import SEVERITIES, Verdict, judge
from peftide.sequences import Dataset
from peftide.similarity import SimilaritySettings
from peftide.types import BoolArray, FloatArray
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

    subject: Subject = field(repr=False)
    verdicts: tuple[Verdict, ...]
    kinship: Kinship | None = field(repr=False)

    @property
    def leaks(self) -> tuple[Verdict, ...]:
        """The verdicts for which the command line exits with 3."""
        return tuple(verdict for verdict in self.verdicts if verdict.severity == "leak")

    @property
    def conclusion(self) -> str:
        """The outcome in words: leaks, warnings and notes, and whether similarity was searched."""
        searched = self.kinship is not None or not self.subject.later
        searched = searched or known_to_be_similar(self.subject)
        severities = [verdict.severity for verdict in self.verdicts]
        return conclusion(severities, searched=searched, compared=bool(self.subject.later))

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
            "conclusion": self.conclusion,
            "verdicts": [dataclasses.asdict(verdict) for verdict in self.verdicts],
            "similarity": self._similarity(),
        }

    def _similarity(self) -> Mapping[str, Any] | None:
        """Return how similar proteins were found; None if they were not searched."""
        if known_to_be_similar(self.subject, self.kinship):
            return {"tool": "all are variants of one sequence", "best": []}
        return None if self.kinship is None else _kinship_record(self, self.kinship)


def audit_training(
    dataset: Dataset,
    *,
    pairs: bool,
    max_length: int | None,
    kinship: Kinship | None = None,
) -> AuditResult:
    """Return the verdicts on the data of a training.

    Parameters
    ----------
    kinship
        Similar proteins across parts; None if they were not searched.
    """
    subject = Subject(dataset, pairs, max_length, trained=True)
    return AuditResult(subject, judge(subject, kinship), kinship)


def audit_known(
    dataset: Dataset,
    *,
    pairs: bool,
    seen: BoolArray,
    similarity: FloatArray | None,
    tool: str = "",
) -> dict[str, Any]:
    """Return the record of the proteins of another data set that a model's training knew.

    Parameters
    ----------
    dataset
        With one part.
    seen
        Whether the training has seen the sequence of each protein. Shape (P,).
    similarity
        Highest identity of each protein to a training sequence, 0 without one; None if it was not
        searched. Shape (P,).
    tool
        The tool of that search.
    """
    subject, (part,) = Subject(dataset, pairs), dataset.parts
    verdicts = [judged_shared(subject, part, np.unique(subject.numbers[seen]))]
    if similarity is not None:
        numbers, first = np.unique(subject.numbers, return_index=True)
        found = (similarity[first] > 0) & ~seen[first]
        rule = f"{SimilaritySettings()} ({tool})"
        identities = similarity[first][found]
        verdicts.append(
            judged_similar(subject, part, numbers[found], identities=identities, rule=rule)
        )
    severities = [verdict.severity for verdict in verdicts]
    return {
        "format_version": FORMAT_VERSION,
        "peftide": __version__,
        "conclusion": conclusion(severities, searched=similarity is not None),
        "verdicts": [dataclasses.asdict(verdict) for verdict in verdicts],
        "similarity": None if similarity is None else {"tool": tool},
    }


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
