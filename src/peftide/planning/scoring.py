"""What comes after training, on some of the rows with random answers → its cost for all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch

from peftide.commands.reporting import report_training
from peftide.evaluation.scores import Scored, score_logits
from peftide.files import write_json
from peftide.planning.cost import Seconds
from peftide.planning.usage import Used, weighed
from peftide.run_folder import RunFolder
from peftide.sequences.dataset import keep_used_proteins, select_rows
from peftide.tasks import Targets
from peftide.training.setting import Problem, Setting
from peftide.types import FloatArray, IntArray

SIZES = (1_500, 5_000)
"""Rows that are scored for a plan: of larger tables about both, and the line through them."""

FEWEST_EXAMPLES = 10
"""Of each part, if it has them."""


@dataclass(frozen=True)
class ScoringCost:
    """Scores, baselines, intervals, tables and report of all rows.

    Attributes
    ----------
    scored
        What the scores of the last rows said; for what is done afterwards.
    """

    seconds: Seconds
    grown_bytes: float
    scored: Scored


def scoring_cost(setting: Setting, folder: RunFolder) -> ScoringCost:
    """Return what scores and report cost, from a measurement on some of the rows."""
    problem = setting.problem
    rows = scored_rows(problem)
    samples = [problem]
    if rows > max(SIZES):
        samples = [some_of(problem, size / rows) for size in SIZES]
    sizes = [scored_rows(sample) for sample in samples]
    found = [_score(sample, setting, folder) for sample in samples]
    last = found[-1]
    if sizes[0] == sizes[-1]:
        return ScoringCost(last.seconds, last.grown_bytes * rows / sizes[-1], last.result)
    cpu, wall = (
        _line(sizes, [getattr(used.seconds, clock) for used in found], rows)
        for clock in ("cpu", "wall")
    )
    # of few rows the memory lies in the noise, so it is taken to grow with them from nothing
    return ScoringCost(Seconds(cpu, wall), last.grown_bytes * rows / sizes[-1], last.result)


def _line(sizes: list[int], values: list[float], size: int) -> float:
    """Return the value at another size on the line through two; it never falls."""
    slope = max(0.0, (values[1] - values[0]) / (sizes[1] - sizes[0]))
    return values[1] + slope * (size - sizes[1])


def scored_rows(problem: Problem) -> int:
    """Return the rows of all parts but train."""
    return sum(len(of.values) for part, of in problem.targets.items() if part != "train")


def _score(problem: Problem, setting: Setting, folder: RunFolder) -> Used[Scored]:
    logits = random_logits(problem)

    def work() -> Scored:
        scored = score_logits(problem, logits, config=setting.config, folder=folder)
        write_json(folder.metrics, scored.metrics)
        report_training(problem, folder, max_length=setting.config.max_length)
        return scored

    return weighed(work, torch.device("cpu"))


def some_of(problem: Problem, share: float) -> Problem:
    """Return a problem with a share of the rows of each part, evenly spaced.

    A part keeps `FEWEST_EXAMPLES`, if it has them.
    """
    chosen = {
        part: _spaced(len(examples), share) for part, examples in problem.dataset.parts.items()
    }
    parts = {
        part: select_rows(examples, chosen[part])
        for part, examples in problem.dataset.parts.items()
    }
    targets = {part: _some_targets(problem.targets[part], chosen[part]) for part in chosen}
    dataset = keep_used_proteins(replace(problem.dataset, parts=parts))
    return replace(problem, dataset=dataset, targets=targets)


def _spaced(count: int, share: float) -> IntArray:
    wanted = min(count, max(FEWEST_EXAMPLES, round(count * share)))
    return np.unique(np.linspace(0, count - 1, wanted).astype(np.int64))


def _some_targets(targets: Targets, examples: IntArray) -> Targets:
    rows, counts = targets.rows(examples), np.diff(targets.offsets)[examples]
    return replace(
        targets,
        values=targets.values[rows],
        counted=targets.counted[rows],
        offsets=np.concatenate([[0], np.cumsum(counts)]),
    )


def random_logits(problem: Problem) -> Mapping[str, FloatArray]:
    """Return an answer at random for each row of every part but train."""
    generator = np.random.default_rng(0)
    outputs = problem.task.outcome.outputs(problem.labels)
    return {
        part: generator.standard_normal((len(targets.values), outputs)).astype(np.float32)
        for part, targets in problem.targets.items()
        if part != "train"
    }
