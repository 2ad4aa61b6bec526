from dataclasses import replace

import numpy as np
import pytest

from peftide.evaluation.part_scores import MODEL, Answers, Resampling, score_rows
from peftide.evaluation.rows import LabelledRows
from peftide.metrics import Units
from peftide.tasks import TASKS, Labels

GENERATOR = np.random.default_rng(0)
DRAWS = Resampling()
YES_NO = Labels(class_names=("0", "1"), class_counts=(1, 1))


def pairs_of(proteins: int, count: int) -> LabelledRows:
    members = GENERATOR.integers(0, proteins, (count, 2))
    values = GENERATOR.integers(0, 2, (count, 1)).astype(float)
    return LabelledRows(TASKS["ppi"], YES_NO, values, Units(members, "protein"))


def guesses(rows: LabelledRows, noise: float) -> Answers:
    return Answers(
        1
        / (1 + np.exp(-(rows.values[:, 0] - 0.5 + noise * GENERATOR.normal(size=len(rows.values)))))
    )


def test_everyone_is_scored_and_compared_with_the_model() -> None:
    rows = pairs_of(40, 300)
    found = score_rows(
        rows, {MODEL: guesses(rows, 0.5), "peer": guesses(rows, 5)}, resampling=Resampling()
    )
    own, peer = (found.entries[name]["auroc"] for name in (MODEL, "peer"))
    assert own["low"] < own["value"] < own["high"]
    assert own["conservative_low"] < own["value"] < own["conservative_high"]
    lead = found.differences["peer"]["auroc"]
    assert lead["value"] == pytest.approx(own["value"] - peer["value"])
    assert lead["spans_zero"] is False
    assert "ece" not in found.differences["peer"]
    assert found.interval == {
        "level": 0.95,
        "unit": "protein",
        "units": 40,
        "rows": 300,
        "replicates": 1000,
        "reason": None,
    }
    assert found.notes == []
    assert len(found.reliability) == 10


def test_of_nine_proteins_there_are_scores_but_no_intervals_and_it_is_said_once() -> None:
    rows = pairs_of(9, 300)
    found = score_rows(
        rows, {MODEL: guesses(rows, 0.5), "peer": guesses(rows, 5)}, resampling=Resampling()
    )
    assert found.entries[MODEL]["auroc"]["value"] is not None
    assert found.entries[MODEL]["auroc"]["low"] is None
    assert found.differences["peer"]["auroc"]["value"] > 0
    assert found.differences["peer"]["auroc"]["spans_zero"] is None
    assert found.notes == ["no intervals: only 9 proteins: intervals need 10"]


def test_constant_answers_are_scored() -> None:
    rows = pairs_of(40, 300)
    found = score_rows(rows, {MODEL: Answers(np.full(300, 0.5))}, resampling=Resampling())
    entry = found.entries[MODEL]["auroc"]
    assert entry.pop("reason")
    assert entry == {
        "value": 0.5,
        "low": None,
        "high": None,
        "n": 300,
        "conservative_low": None,
        "conservative_high": None,
    }
    assert found.entries[MODEL]["average_precision"]["value"] == pytest.approx(rows.values.mean())


def test_labels_of_one_class_leave_scores_undefined_and_say_why() -> None:
    rows = pairs_of(40, 300)
    rows.values[:] = 1
    found = score_rows(rows, {MODEL: guesses(rows, 1)}, resampling=Resampling())
    assert found.entries[MODEL]["average_precision"]["value"] is None
    assert found.entries[MODEL]["recall"]["low"] is not None
    note, *_ = found.notes
    assert note.startswith("undefined: average precision, AUROC, MCC")
    assert note.endswith("because all 300 labels are the same")


def test_classes_get_intervals_of_their_own() -> None:
    labels = Labels(class_names=("E", "H", "C"))
    values = np.eye(3)[GENERATOR.integers(0, 3, 200)]
    units = Units(np.arange(200)[:, None] // 5, "sequence")
    rows = LabelledRows(TASKS["residue"], labels, values, units)
    answers = Answers((values + 3 * GENERATOR.random((200, 3))) / 4)
    found = score_rows(rows, {MODEL: answers}, resampling=Resampling())
    one = found.entries[MODEL]["per_class"]["H"]["average_precision"]
    assert one["low"] < one["value"]
    assert found.entries[MODEL]["macro_average_precision"]["low"] is not None
    assert found.reliability == []


def test_an_outcome_without_weighted_scores_is_resampled_by_repeating_rows() -> None:
    """As slow as it is general: the scores are those of the outcome itself."""
    rows = pairs_of(40, 60)
    answers = {MODEL: guesses(rows, 1)}
    known = score_rows(rows, answers, resampling=Resampling())
    task = replace(rows.task, outcome=replace(rows.task.outcome, statistic=None))
    found = score_rows(replace(rows, task=task), answers, resampling=Resampling())
    assert found.interval["replicates"] == 200
    first, second = (scores.entries[MODEL]["auroc"] for scores in (found, known))
    assert first["value"] == second["value"]
    assert first["low"] == pytest.approx(second["low"], abs=0.05)


def test_a_score_without_a_threshold_is_only_ranked() -> None:
    rows = pairs_of(40, 300)
    peer = replace(guesses(rows, 5), threshold=None)
    found = score_rows(
        rows, {MODEL: guesses(rows, 0.5), "peer": peer}, resampling=Resampling(threads=1)
    )
    assert found.entries["peer"].keys() == {"average_precision", "auroc"}
    assert found.differences["peer"].keys() == {"average_precision", "auroc"}
    assert "mcc" in found.entries[MODEL]


def test_a_note_says_that_most_classes_are_never_found() -> None:
    names = ("a", "b", "c", "d")
    values = np.eye(4)[np.arange(80) % 4]
    units = Units(np.arange(80)[:, None], "sequence")
    labels = Labels(class_names=names, class_counts=(20,) * 4)
    rows = LabelledRows(TASKS["multiclass"], labels, values, units)
    always_a = Answers(np.tile([0.7, 0.1, 0.1, 0.1], (80, 1)))
    assert "no row of 3 of 4 classes is predicted right: b, c, d (" in " ".join(
        score_rows(rows, {MODEL: always_a}, resampling=DRAWS).notes
    )
    found = score_rows(rows, {MODEL: Answers(values * 0.9)}, resampling=DRAWS)
    assert "predicted right" not in " ".join(found.notes)
