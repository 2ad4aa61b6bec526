"""The scores and answers of an evaluation → the files that reports and scripts read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from peftide.evaluation.beside import Beside
from peftide.evaluation.curves import curve_table
from peftide.evaluation.part_scores import Answers
from peftide.evaluation.rows import ScoredPart
from peftide.evaluation.strata import Trained, strata_table
from peftide.evaluation.tables import prediction_table, write_table
from peftide.files import write_json
from peftide.run_folder import RunFolder

EVALUATE = "evaluate"
"""The command in the record and the folder of an evaluation."""


@dataclass(frozen=True)
class Results:
    """Everything that an evaluation writes.

    Attributes
    ----------
    metrics
        Content of `metrics.json`.
    parts
        Reported name → part, for the prediction table.
    columns
        Reported name → columns of the answers.
    trained
        Relation of each protein to the training part.
    beside
        Baselines with their search for similar proteins.
    others
        Name of a baseline or another tool → part → its answers for the rows that enter the scores.
    """

    metrics: dict[str, Any]
    parts: Mapping[str, ScoredPart]
    columns: Mapping[str, Mapping[str, Any]]
    trained: Trained
    beside: Beside = field(default_factory=Beside)
    others: Mapping[str, Mapping[str, Answers]] = field(default_factory=dict)


def write_results(results: Results, folder: RunFolder) -> None:
    """Write `predictions.tsv`, `strata.tsv`, `curves.tsv` and `metrics.json`, each atomically."""
    tables = [
        part_table(part, results.columns[name]).assign(split=name)  # an evaluation names its part
        for name, part in results.parts.items()
    ]
    write_table(pd.concat(tables), folder.predictions)
    strata = [strata_table(part, results.trained) for part in results.parts.values()]
    write_table(pd.concat(strata), folder.strata)
    curves = curve_table(results.parts, results.others)
    if len(curves):
        write_table(curves, folder.curves)
    write_json(folder.metrics, results.metrics)


def part_table(part: ScoredPart, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return the prediction table of a labelled part."""
    return prediction_table(
        part.examples,
        part.dataset.proteins,
        level=part.task.level,
        answers=columns,
        residues=np.diff(part.targets.offsets),
        counted=part.targets.counted,
    ).assign(split=part.name)
