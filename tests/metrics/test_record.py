import json

from peftide.metrics import (
    Interval,
    as_record,
    binary_metrics,
    categorical_metrics,
    interval_notes,
)


def test_a_score_stands_with_its_number_and_room_for_an_interval():
    record = as_record({"auroc": 0.75}, 8)
    assert record == {"auroc": {"value": 0.75, "low": None, "high": None, "n": 8}}


def test_nan_and_infinity_become_null():
    record = as_record({"mcc": float("nan"), "ratio": float("inf")}, 2)
    assert json.loads(json.dumps(record, allow_nan=False))["mcc"]["value"] is None
    assert record["ratio"]["value"] is None


def test_binary_scores_are_written_as_strict_json():
    record = as_record(binary_metrics([1, 1], [0.2, 0.9], threshold=0.5), 2)
    assert record["auroc"]["value"] is None
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_each_class_counts_its_own_examples():
    scores = categorical_metrics(
        [[1, 0], [0, 1], [0, 1]], [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]], ["C1", "C2"]
    )
    record = as_record(scores, 3)
    assert record["accuracy"]["n"] == record["macro_classes"]["n"] == 3
    assert record["per_class"]["C2"]["recall"] == {
        "value": 0.5,
        "low": None,
        "high": None,
        "n": 2,
    }
    assert "n" not in record["per_class"]["C2"]
    json.dumps(record, allow_nan=False)


def test_a_reason_stands_only_where_an_interval_is_missing():
    given = {("auroc",): Interval(reason="too few"), ("f1",): Interval(0.1, 0.3)}
    record = as_record({"auroc": 0.7, "f1": 0.2}, 8, given)
    assert record["auroc"] == {
        "value": 0.7,
        "low": None,
        "high": None,
        "n": 8,
        "reason": "too few",
    }
    assert "reason" not in record["f1"]


def test_notes_name_the_scores_of_each_reason_and_the_classes():
    few, flat = {"value": 0.5, "n": 3, "reason": "few (3)"}, {"value": 0.5, "reason": "flat"}
    record = {"auroc": few, "macro_f1": few, "mcc": flat, "f1": {"value": 0.5}}
    notes = interval_notes(record | {"per_class": {"A": {"f1": few}, "B": {"f1": {"value": 1}}}})
    assert [("AUROC, macro F1" in note, "few" in note) for note in notes][0] == (True, True)
    assert [("MCC" in note, "flat" in note) for note in notes][1] == (True, True)
    assert notes[2] == "no interval for some scores of the class A (3 rows): few"
    counts = {"C0": 1, "C1": 2, "C2": 3, "C3": 4, "C4": 4, "C5": 4, "C6": 4}
    many = {
        name: {"f1": {"n": n, "reason": f"few ({n})"}, "mcc": {"n": n, "reason": "flat"}}
        for name, n in counts.items()
    }
    (note,) = interval_notes({"per_class": many})
    assert "the classes C0 (1 row), C1 (2 rows), " in note
    assert note.endswith("C4 (4 rows) and 2 more: few")
    assert interval_notes({"f1": {"value": 0.5}}) == []


def test_a_count_has_no_interval() -> None:
    intervals = {("macro_classes",): Interval(1.858, 1.0), ("macro_f1",): Interval(0.4, 0.6)}
    record = as_record({"macro_classes": 2, "macro_f1": 0.5}, 50, intervals)
    assert record["macro_classes"] == {"value": 2, "low": None, "high": None, "n": 50}
    assert record["macro_f1"]["low"] == 0.4
