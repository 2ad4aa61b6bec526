"""`peftide audit`: the tables of a training in; verdicts on their split out. Nothing is refused."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peftide import __version__
from peftide.auditing import SEVERITIES, Kinship, Subject, Verdict, find_kinship, judge
from peftide.auditing.ids import rename_reused_ids
from peftide.config import AuditConfig, TableOptions
from peftide.config.unread import NOTHING, Names, choice_of, unread_problems
from peftide.errors import InputError, raise_problems
from peftide.files import write_json
from peftide.outputs import check_file
from peftide.sequences import Dataset, read_dataset, table_level
from peftide.sequences.training_tables import TRAINING_TABLES, data_files, training_tables
from peftide.similarity import SimilaritySettings

FORMAT_VERSION = 1
SIMILARITIES: dict[str, Names] = {
    **dict.fromkeys(("auto", "mmseqs", "pyopal"), frozenset({"identity", "coverage"})),
    "none": NOTHING,
}
"""Value of `--similarity` → the options that it reads."""


@dataclass(frozen=True)
class AuditResult:
    """What an audit found.

    Attributes
    ----------
    subject
        The data set as it was read.
    verdicts
        The worst first.
    kinship
        Similar proteins across parts, or None where they were not looked for.
    """

    subject: Subject
    verdicts: tuple[Verdict, ...]
    kinship: Kinship | None

    @property
    def leaks(self) -> tuple[Verdict, ...]:
        """The verdicts for which the command line exits with 3."""
        return tuple(verdict for verdict in self.verdicts if verdict.severity == "leak")

    def record(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
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
            "similarity": None if self.kinship is None else _kinship_record(self),
        }


def audit(config: AuditConfig, *, given: Names = NOTHING) -> AuditResult:
    """Look for everything in a split that makes scores too good.

    Parameters
    ----------
    given
        Options that the user named, even if at their default.

    Raises
    ------
    InputError
        If a file cannot be read or an option makes no sense; never for what the split is like.
    """
    _check(config, given)
    subject = Subject(_read(config), _is_pairs(config), config.max_length)
    wanted = config.similarity != "none" and bool(subject.later)
    kinship = find_kinship(subject, _settings(config)) if wanted else None
    result = AuditResult(subject, judge(subject, kinship), kinship)
    if config.out is not None:
        write_json(config.out, result.record())
    return result


def audit_training(dataset: Dataset, *, pairs: bool, max_length: int | None) -> AuditResult:
    """Return the verdicts on what a training read; similar proteins are not looked for."""
    subject = Subject(dataset, pairs, max_length, trained=True)
    return AuditResult(subject, judge(subject, None), None)


def _check(config: AuditConfig, given: Names) -> None:
    choice = choice_of(f"--similarity {config.similarity}", SIMILARITIES, config.similarity)
    raise_problems(unread_problems(config, [choice], given=given))
    files = data_files(config)
    if config.out is not None:
        check_file(config.out, overwrite=config.overwrite, inputs=files)
    _settings(config)  # asks for MMseqs2 where it is absent: before anything long


def _settings(config: AuditConfig) -> SimilaritySettings:
    return SimilaritySettings(
        identity_fraction=config.identity,
        coverage_fraction=config.coverage,
        tool="auto" if config.similarity == "none" else config.similarity,
        threads=config.threads,
    )


def _is_pairs(config: AuditConfig) -> bool:
    path = config.train if config.data is None else config.data
    if path is None:
        raise InputError("no training table", expected=TRAINING_TABLES)
    return table_level(path, config) == "pair"


def _read(config: AuditConfig) -> Dataset:
    """Read all parts as `peftide train` does, but count what it would refuse."""
    # labels of residues may begin or end with a space, which other levels would lose
    level = "pair" if _is_pairs(config) else "residue"
    tables, findings = rename_reused_ids(training_tables(config, level))
    lenient = TableOptions(sequences=config.sequences, self_pairs=config.self_pairs, missing="drop")
    dataset = read_dataset(tables, lenient, level=level)
    return dataclasses.replace(dataset, findings=dataset.findings + findings)


def _kinship_record(result: AuditResult) -> Mapping[str, Any]:
    assert result.kinship is not None
    settings, best = result.kinship.settings, result.kinship.best()
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
