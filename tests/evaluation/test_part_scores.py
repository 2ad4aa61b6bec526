from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.evaluation.part_scores import MODEL, Answers, LabelledRows, labelled_rows, score_rows
from peftide.metrics import WEIGHTED, Units
from peftide.sequences import Dataset, Examples, Proteins
from peftide.tasks import TASKS, Labels, Targets

GENERATOR = np.random.default_rng(0)
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


def dataset(members: list[list[int]], **more: Any) -> tuple[Dataset, Targets]:
    count = len(members)
    examples = Examples(
        Path("x.tsv"), np.arange(count), np.array(members), np.ones(count, dtype=bool), **more
    )
    proteins = Proteins(("a", "b", "c", "d"), ("MK", "MK", "MV", "MA"))
    targets = Targets(np.zeros((count, 1)), np.ones(count, dtype=bool), np.arange(count + 1))
    return Dataset(proteins, {"test": examples}, ()), targets


def test_proteins_with_one_sequence_are_one_unit() -> None:
    data, targets = dataset([[0, 2], [1, 3]])
    rows = labelled_rows(data, "test", targets, task=TASKS["ppi"], labels=YES_NO)
    assert rows.units.kind == "protein"
    assert rows.units.members[0, 0] == rows.units.members[1, 0]
    assert rows.units.count == 3


def test_clusters_are_units_where_they_are_known() -> None:
    data, targets = dataset([[0], [2], [3]], clusters=("k1", "k1", ""))
    rows = labelled_rows(data, "test", targets, task=TASKS["regression"], labels=Labels())
    assert rows.units.kind == "cluster"
    assert rows.units.members[0] == rows.units.members[1]
    assert rows.units.count == 2


def test_residues_belong_to_their_sequence() -> None:
    data, _ = dataset([[0], [2]])
    counted = np.array([True, False, True, True, True])
    targets = Targets(np.eye(2)[[0, 1, 0, 1, 1]], counted, np.array([0, 2, 5]))
    labels = Labels(class_names=("E", "H"))
    rows = labelled_rows(data, "test", targets, task=TASKS["residue"], labels=labels)
    assert rows.units.kind == "sequence"
    first, *others = rows.units.members[:, 0]
    assert first not in others
    assert len(set(others)) == 1
    assert len(rows.values) == 4


def test_everyone_is_scored_and_compared_with_the_model() -> None:
    rows = pairs_of(40, 300)
    found = score_rows(rows, {MODEL: guesses(rows, 0.5), "peer": guesses(rows, 5)}, seed=0)
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
    found = score_rows(rows, {MODEL: guesses(rows, 0.5), "peer": guesses(rows, 5)}, seed=0)
    assert found.entries[MODEL]["auroc"]["value"] is not None
    assert found.entries[MODEL]["auroc"]["low"] is None
    assert found.differences["peer"]["auroc"]["value"] > 0
    assert found.differences["peer"]["auroc"]["spans_zero"] is None
    assert found.notes == ["no intervals: only 9 proteins: intervals need 10"]


def test_constant_answers_are_scored() -> None:
    rows = pairs_of(40, 300)
    found = score_rows(rows, {MODEL: Answers(np.full(300, 0.5))}, seed=0)
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
    found = score_rows(rows, {MODEL: guesses(rows, 1)}, seed=0)
    assert found.entries[MODEL]["average_precision"]["value"] is None
    assert found.entries[MODEL]["recall"]["low"] is not None
    note, *_ = found.notes
    assert note.startswith("undefined: average precision, auroc, mcc")
    assert note.endswith("since all 300 labels are the same")


def test_classes_get_intervals_of_their_own() -> None:
    labels = Labels(class_names=("E", "H", "C"))
    values = np.eye(3)[GENERATOR.integers(0, 3, 200)]
    units = Units(np.arange(200)[:, None] // 5, "sequence")
    rows = LabelledRows(TASKS["residue"], labels, values, units)
    answers = Answers((values + 3 * GENERATOR.random((200, 3))) / 4)
    found = score_rows(rows, {MODEL: answers}, seed=0)
    one = found.entries[MODEL]["per_class"]["H"]["average_precision"]
    assert one["low"] < one["value"]
    assert found.entries[MODEL]["macro_average_precision"]["low"] is not None
    assert found.reliability == []


def test_another_kind_of_answer_is_resampled_by_repeating_rows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As slow as it is general: the scores are those of the outcome itself."""
    rows = pairs_of(40, 60)
    answers = {MODEL: guesses(rows, 1)}
    known = score_rows(rows, answers, seed=0)
    monkeypatch.delitem(WEIGHTED, "binary")
    found = score_rows(rows, answers, seed=0)
    assert found.interval["replicates"] == 200
    first, second = (scores.entries[MODEL]["auroc"] for scores in (found, known))
    assert first["value"] == second["value"]
    assert first["low"] == pytest.approx(second["low"], abs=0.05)
