import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from peftide.evaluation.comparison import compare_answers
from peftide.evaluation.part_scores import Answers, Resampling
from peftide.evaluation.rows import LabelledRows
from peftide.metrics import Units
from peftide.tasks import TASKS, Labels

GENERATOR = np.random.default_rng(0)
VALUES = GENERATOR.integers(0, 2, (200, 1)).astype(float)


def rows_of(sequences: int) -> LabelledRows:
    units = Units(np.arange(200)[:, None] % sequences, "sequence")
    return LabelledRows(TASKS["binary"], Labels(("0", "1"), (1, 1)), VALUES, units)


def ranked(noise: float) -> Answers:
    return Answers(VALUES[:, 0] + noise * GENERATOR.normal(size=200), None)


def test_seeds_are_averaged_and_every_two_tools_are_compared() -> None:
    """Reference: scikit-learn for each training."""
    trainings = {"A": [ranked(0.5), ranked(0.5)], "B": [ranked(3)], "C": [ranked(3)]}
    found = compare_answers(rows_of(200), trainings, resampling=Resampling())
    reference = [roc_auc_score(VALUES[:, 0], one.values) for one in trainings["A"]]
    assert found["scores"]["A"]["auroc"]["value"] == pytest.approx(np.mean(reference))
    assert found["seeds"]["A"]["auroc"]["values"] == pytest.approx(reference)
    assert list(found["seeds"]) == ["A"]
    assert list(found["differences"]) == ["A − B", "A − C", "B − C"]
    assert found["differences"]["A − B"]["auroc"]["spans_zero"] is False


def test_few_units_leave_scores_and_a_reason() -> None:
    found = compare_answers(rows_of(4), {"A": [ranked(1)]}, resampling=Resampling())
    assert found["scores"]["A"]["auroc"]["low"] is None
    assert "only 4 sequences" in found["intervals"]["reason"]
