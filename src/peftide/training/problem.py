"""The tables of a training → a data set with its labels as numbers."""

from dataclasses import dataclass, replace

from peftide.backbones import Backbone
from peftide.config import TrainConfig
from peftide.encoding import backbone_findings, checked_max_length
from peftide.evaluation.rows import ScoredPart
from peftide.sequences import Dataset
from peftide.sequences.findings import say_findings
from peftide.sequences.training_tables import TrainingTables
from peftide.splitting.training_data import read_training_data
from peftide.tasks import Labels, Targets, Task
from peftide.tasks.reading import read_class_names, read_labels


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
    dataset = read_training_data(config, task.level, tables)
    labels, targets = read_labels(
        dataset,
        task,
        max_length=config.max_length,
        class_map=config.class_map,
        classes=read_class_names(config.classes),
    )
    return Problem(task, dataset, labels, targets)


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
