from unittest.mock import Mock

import numpy as np
import pytest

from peftide.evaluation.curves import COLUMNS, MOST_POINTS, curve_table
from peftide.evaluation.part_scores import Answers
from peftide.evaluation.rows import ScoredPart
from peftide.tasks import TASKS


def part(labels: np.ndarray, task: str = "ppi") -> ScoredPart:
    made = Mock(spec=ScoredPart, task=TASKS[task])
    made.targets = Mock(values=labels[:, None].astype(float), counted=labels >= 0)
    return made


def test_each_curve_has_at_most_two_hundred_points() -> None:
    generator = np.random.default_rng(0)
    labels = np.append(generator.integers(0, 2, 5000), -1)  # the last row does not count
    others = {"kmer": {"test": Answers(generator.normal(size=5000))}}
    table = curve_table({"test": part(labels)}, others)
    assert list(table) == list(COLUMNS)
    assert max(table["curve"].value_counts()) <= MOST_POINTS
    ends = np.asarray(table[table["curve"] == "roc"][["x", "y"]])
    assert (ends[0].tolist(), ends[-1].tolist()) == ([0, 0], [1, 1])


@pytest.mark.parametrize(("label", "task"), [(1, "ppi"), (0, "ppi"), (1, "regression")])
def test_one_class_and_numbers_have_no_curves(label: int, task: str) -> None:
    others = {"kmer": {"test": Answers(np.zeros(3))}}
    assert curve_table({"test": part(np.full(3, label), task)}, others).empty
