"""`peftide.compare_scores`: a labelled table and score files in; scores and differences out.

No model is loaded.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.evaluation.comparison import compare_answers
from peftide.evaluation.part_scores import Resampling
from peftide.evaluation.peers import read_peer
from peftide.evaluation.rows import ScoredPart
from peftide.sequences import TableSource, read_dataset, read_table
from peftide.tasks import Task
from peftide.tasks.detecting import find_task
from peftide.tasks.reading import reading_options

PART = "input"
Files = str | Path | Sequence[str | Path]
"""The score file of a tool, or one score file per training run of the tool."""


def compare_scores(
    table: TableSource,
    scores: Mapping[str, Files],
    *,
    task: str = "ppi",
    columns: TableOptions | None = None,
    seed: int = 0,
    threads: int | None = None,
) -> dict[str, Any]:
    """Return the scores of several tools on one labelled table, and all pairwise differences.

    No sequences are needed: without them, each id counts as one protein.

    Parameters
    ----------
    table
        Labelled pairs or sequences, identified by ids.
    scores
        Name of a tool → its score file (see `peftide.evaluation.peers.read_peer`), or its score
        files from training runs with different seeds. Seeds are averaged inside each resample.
    task
        The task, which says how the labels are read.
    columns
        Names of the columns, and which rows count.
    seed
        Seed of the resamples.
    threads
        CPU threads; None takes all cores.

    Returns
    -------
    dict
        `scores`: tool → entries as in `metrics.json`; `differences`: "first − second" → entries
        with `spans_zero`; `seeds`: for tools with several files, score → `values` and `spread`
        (standard deviation); `intervals`: the resampled units. Binary labels get only average
        precision and AUROC, because a score file has no threshold.

    Raises
    ------
    InputError
        If the table or a file is wrong, or a file does not have exactly one score per row.
    """
    options = columns or TableOptions()
    part = labelled_table(table, find_task(task), options)
    trainings = {
        name: [
            read_peer(Path(path), part, columns=options)
            for path in ([files] if isinstance(files, str | Path) else files)
        ]
        for name, files in scores.items()
    }
    return compare_answers(part.rows(), trainings, resampling=Resampling(seed, threads))


def labelled_table(table: TableSource, task: Task, options: TableOptions) -> ScoredPart:
    """Return the rows of a table with their labels as numbers."""
    read = read_table(table, options, level=task.level, needs_labels=True)
    if read.ids is None:
        raise InputError(
            "the table has no ids",
            where=read.path,
            fix="Add ids: score files identify rows by them",
        )
    if read.sequences is None and options.sequences is None:
        read = replace(read, sequences=read.ids)
    dataset = read_dataset({PART: read}, options, level=task.level)
    reading = reading_options(dataset, PART, max_length=None, class_map=None)
    labels = task.outcome.default_labels or task.fit_labels(dataset.parts[PART], reading)
    targets = task.read_targets(dataset.parts[PART], labels, reading)
    return ScoredPart(task, labels, dataset, PART, targets)
