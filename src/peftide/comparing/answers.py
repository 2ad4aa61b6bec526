"""The tables of a finished training → its answers for the scored rows of a part."""

import numpy as np

from peftide.errors import InputError
from peftide.evaluation.decisions import DEFAULT_THRESHOLD
from peftide.evaluation.part_scores import Answers
from peftide.evaluation.rows import ScoredPart
from peftide.outcomes import COUNTED, PROBABILITY_OF
from peftide.outputs import read_record
from peftide.quantities import count_of
from peftide.report.forms import MetricsForm
from peftide.report.read import as_numbers, read_columns
from peftide.run_folder import RunFolder


def read_answers(folder: RunFolder, part: ScoredPart) -> Answers:
    """Return the answers of a run for the rows of a part that enter its scores.

    Raises
    ------
    InputError
        If the table of the run does not fit the part.
    """
    is_apart = part.name == "validation" and folder.validation.is_file()
    path = folder.validation if is_apart else folder.predictions
    columns = read_columns(path)
    outcome, labels = part.task.outcome, part.labels
    names = [outcome.answer_column]
    if outcome.has_classes:
        names = [f"{PROBABILITY_OF}{name}" for name in labels.class_names]
    if missing := [name for name in (COUNTED, "split", *names) if name not in columns]:
        raise InputError(f"no column {', '.join(missing)}", where=path)
    rows = columns["split"] == part.name
    counted = columns[COUNTED][rows] == "1"
    if not np.array_equal(counted, part.targets.counted):
        raise InputError(
            f"{count_of(rows.sum(), 'row')} of {part.name}, {counted.sum():,} of them counted",
            expected=f"{len(part.targets.counted):,}, {part.targets.counted.sum():,} of them",
            where=path,
        )
    answers = np.stack([as_numbers(columns[name][rows]) for name in names], axis=1)[counted]
    if not np.isfinite(answers).all():
        raise InputError(f"an answer for {part.name} is no number", where=path)
    threshold = read_record(folder.metrics, MetricsForm).get("threshold")
    return Answers(
        answers if outcome.has_classes else answers[:, 0],
        DEFAULT_THRESHOLD if threshold is None else threshold,
    )
