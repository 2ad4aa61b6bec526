"""The tables of a training → a data set with its labels as numbers."""

from dataclasses import dataclass, replace
from typing import Any

from peftide.backbones import Backbone
from peftide.config import TrainConfig
from peftide.encoding import backbone_findings, checked_max_length
from peftide.errors import InputError
from peftide.evaluation.rows import ScoredPart
from peftide.quantities import count_of
from peftide.sequences import Dataset
from peftide.sequences.findings import say_findings
from peftide.sequences.training_tables import TrainingTables
from peftide.splitting.training_data import read_training_data
from peftide.tasks import VARIANT_TASKS, Labels, Targets, Task
from peftide.tasks.reading import read_class_names, read_labels, reading_options
from peftide.tasks.row_problems import naming_all

NUCLEOTIDES = "nucleotide_like_sequences"
"""Kind of the finding about sequences that look like DNA or RNA."""


@dataclass(frozen=True)
class Problem:
    """A data set with its labels as numbers."""

    task: Task
    dataset: Dataset
    labels: Labels
    targets: dict[str, Targets]

    def part(self, name: str) -> ScoredPart:
        """Return one part with its labels."""
        return ScoredPart(self.task, self.labels, self.dataset, name, self.targets[name])


def read_problem(config: TrainConfig, task: Task, tables: TrainingTables | None = None) -> Problem:
    """Read data and labels; the backbone's limits are not applied yet."""
    reading: dict[str, Any] = {"max_length": config.max_length, "class_map": config.class_map}
    reading["classes"] = read_class_names(config.classes)

    def check(whole: Dataset) -> None:
        task.fit_labels(whole.parts["train"], reading_options(whole, "train", **reading))

    with naming_all(config, tables):
        dataset = read_training_data(config, task.level, tables, check=check)
        refuse_nucleotides(dataset)
        dataset = check_variants(dataset, config)
        labels, targets = read_labels(dataset, task, **reading)
    return Problem(task, dataset, labels, targets)


def refuse_nucleotides(dataset: Dataset) -> None:
    """Raise if most sequences look like DNA or RNA.

    Raises
    ------
    InputError
        If more than half of the sequences have only the letters of nucleotides.
    """
    count = sum(f.count for f in dataset.findings if f.kind == NUCLEOTIDES)
    if 2 * count > len(dataset.proteins):
        raise InputError(
            f"{count:,} of {count_of(len(dataset.proteins), 'sequence')} have only the letters "
            "ACGTUN, as DNA or RNA",
            expected="proteins",
            where=dataset.parts["train"].path,
            fix="Translate them into protein sequences",
        )


def check_variants(dataset: Dataset, config: TrainConfig) -> Dataset:
    """Return the data set; only the tasks on variants keep its wild type.

    Raises
    ------
    InputError
        If a task of variants has no wild type, or the wild type is too long.
    """
    if config.task not in VARIANT_TASKS:
        return replace(dataset, variants_of=None)
    where = dataset.parts["train"].path
    if dataset.variants_of is None:
        raise InputError(
            "the table has no column mutant, so the wild type of its variants is unknown",
            where=where,
            fix="Give it with --wild-type FILE (FASTA)",
        )
    length, limit = len(dataset.variants_of.sequence), config.max_length
    if limit is not None and length > limit:
        raise InputError(
            f"the wild type has {count_of(length, 'residue')}",
            expected=f"at most {limit:,} (--max-length)",
            where=where,
            fix="Use --max-length none",
        )
    return dataset


def seen_by(backbone: Backbone, problem: Problem, *, max_length: int | None) -> Problem:
    """Return the problem with counts of cropped and unknown residues, and log all findings."""
    dataset, targets = problem.dataset, problem.targets
    max_length = checked_max_length(backbone.max_residues, max_length)
    findings = dataset.findings + backbone_findings(
        dataset.proteins, backbone, max_length=max_length
    )
    findings += tuple(finding for part in targets.values() for finding in part.findings)
    say_findings(findings)
    return replace(problem, dataset=replace(dataset, findings=findings))
