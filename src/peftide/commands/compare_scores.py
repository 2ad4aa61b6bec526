"""`peftide.compare_scores`: a labelled table and score files in; scores and leads out, no model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.evaluation.part_scores import (
    Answers,
    LabelledRows,
    labelled_rows,
    row_support,
    statistic,
)
from peftide.evaluation.peers import RANKING, read_peer
from peftide.metrics import (
    Replicates,
    as_record,
    difference_record,
    intervals,
    minus,
    no_interval_reason,
    resample,
    seed_average,
    seed_spread,
    unresampled,
)
from peftide.sequences import Dataset, read_dataset, read_table
from peftide.tasks import TASKS, Labels, Targets, Task
from peftide.tasks.reading import reading_options

PART = "input"
Files = Path | Sequence[Path]
"""The score file of a tool, or one of each of its trainings."""


def compare_scores(
    table: Path,
    scores: Mapping[str, Files],
    *,
    task: str = "ppi",
    columns: TableOptions | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Yield the scores of several tools on one labelled table, and every difference of two.

    No sequence is needed: where the table has none, an id stands for its protein.

    Parameters
    ----------
    table
        Labelled pairs or sequences, named by ids.
    scores
        Name of a tool → its score file (see `peftide.evaluation.peers.read_peer`); or the files of
        several trainings with other seeds, whose scores are averaged inside each resample.
    task
        What the labels are.
    columns
        Names of the columns, and what counts.
    seed
        Of the resamples.

    Returns
    -------
    dict
        `scores`: tool → entries as in `metrics.json`; `differences`: "first − second" → entries
        with `spans_zero`; `seeds`: of tools with several files, score → `values` and `spread`
        (standard deviation); `intervals`: what was resampled. Of yes-or-no labels only average
        precision and AUROC: a score alone has no threshold.

    Raises
    ------
    InputError
        If the table or a file is wrong, or a file does not have one score for each row.
    """
    options = columns or TableOptions()
    dataset, targets, labels = labelled_table(table, TASKS[task], options)
    rows = labelled_rows(dataset, PART, targets, task=TASKS[task], labels=labels)
    trainings = {
        name: [
            Answers(
                read_peer(
                    path, (dataset, PART, targets), task=TASKS[task], labels=labels, columns=options
                )
            )
            for path in ([files] if isinstance(files, Path) else files)
        ]
        for name, files in scores.items()
    }
    found = _resampled(rows, trainings, seed=seed)
    reason = no_interval_reason(rows.units)
    return {
        "scores": {name: _record(one, rows) for name, one in found.items()},
        "differences": {
            f"{first} − {second}": difference_record(
                minus(found[first], found[second]),
                rows.units,
                n=len(rows.values),
                support=row_support(rows),
            )
            for first, second in combinations(found, 2)
        },
        "seeds": _seeds(rows, trainings),
        "intervals": {
            "unit": rows.units.kind,
            "units": rows.units.count,
            "rows": len(rows.values),
            "reason": reason,
        },
    }


def labelled_table(
    table: Path, task: Task, options: TableOptions
) -> tuple[Dataset, Targets, Labels]:
    """Return the rows of a table with their labels as numbers."""
    read = read_table(table, options, level=task.level, needs_labels=True)
    if read.ids is None:
        raise InputError("the table has no ids", where=table, fix="Score files name rows by ids")
    if read.sequences is None and options.sequences is None:
        read = replace(read, sequences=read.ids)
    dataset = read_dataset({PART: read}, options, level=task.level)
    reading = reading_options(dataset, PART, max_length=None, class_map=None)
    # the answers of yes-or-no labels and of numbers do not depend on what training saw
    fixed = {"binary": Labels(("0", "1"), (1, 1)), "continuous": Labels()}
    labels = fixed.get(task.outcome.kind) or task.fit_labels(dataset.parts[PART], reading)
    return dataset, task.read_targets(dataset.parts[PART], labels, reading), labels


def _resampled(
    rows: LabelledRows, trainings: Mapping[str, list[Answers]], *, seed: int
) -> dict[str, Replicates]:
    """Return the scores of each tool; without resamples where there are too few units."""
    statistics = {
        name: seed_average([statistic(rows, one) for one in answers])
        for name, answers in trainings.items()
    }
    if no_interval_reason(rows.units) is None:
        found = resample(statistics, rows.units, seed=seed)
    else:
        found = {name: unresampled(of, len(rows.values)) for name, of in statistics.items()}
    is_binary = rows.task.outcome.kind == "binary"
    return {name: _ranking(one) if is_binary else one for name, one in found.items()}


def _ranking(found: Replicates) -> Replicates:
    """Return what can be said of scores without a threshold."""
    kept = {(name,) for name in RANKING}
    return Replicates(
        {name: value for name, value in found.values.items() if name in kept},
        {name: values for name, values in found.by_units.items() if name in kept},
        {name: values for name, values in found.by_rows.items() if name in kept},
    )


def _record(found: Replicates, rows: LabelledRows) -> dict[str, Any]:
    plain = {name[0]: value for name, value in found.values.items() if len(name) == 1}
    pairs, known = rows.units.are_pairs, intervals(found, rows.units, support=row_support(rows))
    return as_record(plain, len(rows.values), known, pairs=pairs)


def _seeds(
    rows: LabelledRows, trainings: Mapping[str, list[Answers]]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the scores of each training, of the tools that have several."""
    spread: dict[str, dict[str, dict[str, Any]]] = {}
    for name, answers in trainings.items():
        alone = [unresampled(statistic(rows, one), len(rows.values)).values for one in answers]
        scores = {key: [values[key] for values in alone] for key in alone[0] if len(key) == 1}
        if rows.task.outcome.kind == "binary":
            scores = {key: values for key, values in scores.items() if key[0] in RANKING}
        if len(answers) > 1:
            spread[name] = {
                key[0]: {"values": values, "spread": seed_spread(values)}
                for key, values in scores.items()
            }
    return spread
