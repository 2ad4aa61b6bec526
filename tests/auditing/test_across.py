"""Verdicts on a later part beside train."""

import numpy as np
import pytest
from numpy.typing import ArrayLike
from scipy.stats import ks_2samp

from peftide.auditing import across
from tests.auditing.conftest import Make, one

TRAIN = [("MA", "MC", 1, "train"), ("MA", "MD", 0, "train"), ("MC", "MD", 0, "train")]
NEW = [("ME", "MF", 1, "test"), ("ME", "MG", 0, "test")]


def test_shared_proteins(make: Make):
    assert across.shared_proteins(make([*TRAIN, *NEW]), "test").severity == "ok"
    found = across.shared_proteins(make([*TRAIN, *NEW, ("MA", "ME", 1, "test")]), "test")
    assert found.severity == "leak"
    assert found.numbers == {"count": 1, "proteins": 4}
    assert found.examples == ("seq_1",)


def test_seen_rows(make: Make):
    assert one(across.seen_rows(make([*TRAIN, *NEW]), "test")).severity == "ok"
    rows = [*TRAIN, *NEW, ("MA", "ME", 1, "test"), ("MD", "MC", 0, "test")]
    found = one(across.seen_rows(make(rows), "test"))
    assert found.numbers == {"none_seen": 0.5, "one_seen": 0.25, "both_seen": 0.25}
    assert "50.0% none_seen" in found.text
    assert (
        across.seen_rows(make([("MA", 1, "train"), ("MC", 0, "test")], pairs=False), "test") is None
    )


def test_shared_rows_and_their_labels(make: Make):
    assert across.shared_rows(make([*TRAIN, *NEW]), "test").severity == "ok"
    again = [("MC", "MA", 1, "test"), ("MD", "MA", 1, "test"), *NEW]
    found = across.shared_rows(make([*TRAIN, *again]), "test")
    assert found.severity == "leak"
    assert found.numbers == {"count": 2, "other_label": 1}
    single = [("MA", 1, "train"), ("MC", 0, "train"), ("MC", 0, "test"), ("MD", 1, "test")]
    assert across.shared_rows(make(single, pairs=False), "test").numbers["count"] == 1


def test_degree_alone_by_hand(make: Make):
    # degrees in train (positive, negative): MA (1, 1), MC (1, 1), MD (0, 2)
    test = [("MA", "MX", 1, "test"), ("MD", "MX", 0, "test"), ("MD", "MA", 0, "test")]
    found = one(across.degree_alone(make([*TRAIN, *test]), "test"))
    # scores log(2/2) = 0, log(1/3), log(1/3): the positive is first
    assert found.numbers == {"average_precision": 1.0, "prevalence": pytest.approx(1 / 3)}
    assert found.severity == "warning"
    unseen = one(across.degree_alone(make([*TRAIN, *NEW]), "test"))
    assert unseen.numbers == {"average_precision": 0.5, "prevalence": 0.5}
    assert unseen.severity == "ok"
    same = one(across.degree_alone(make([*TRAIN, NEW[0]]), "test"))
    assert same.text == "all its labels are the same"


def test_label_shift(make: Make):
    found = across.label_shift(make([*TRAIN, *NEW]), "test")
    assert found.severity == "note"
    assert found.numbers["total_variation"] == pytest.approx(1 / 2 - 1 / 3)
    assert "50.0% of its labels are positive, 33.3% in train" in found.text
    classes = [
        ("MAAA", "C2", "train"),
        ("MCCC", "C3", "train"),
        ("MDDD", "C2", "test"),
        ("MEEE", "T", "test"),
    ]
    found = across.label_shift(make(classes, pairs=False), "test")
    assert found.severity == "warning"
    assert found.numbers == {"total_variation": 0.5, "new_classes": 1}
    assert "(T)" in found.text


def test_residue_labels_are_compared_by_letter(make: Make):
    rows = [("MAC", "HHE", "train"), ("MCC", "EHE", "train"), ("MDC", "HEE", "test")]
    found = across.label_shift(make(rows, pairs=False), "test")
    assert found.numbers["total_variation"] == pytest.approx(1 / 2 - 1 / 3)


def distance(first: ArrayLike, second: ArrayLike) -> float:
    statistic, _ = ks_2samp(first, second)
    return float(np.asarray(statistic))


def test_value_and_length_shift_against_scipy(make: Make):
    generator = np.random.default_rng(0)
    residues = list("ACDEFGHIKLMNPQRSTVWY")

    def rows(part: str, count: int, longest: int, shift: float):
        sizes = generator.integers(3, longest, count)
        texts = ["".join(generator.choice(residues, size)) for size in sizes]
        values = (generator.normal(size=count) + shift).round(3)
        return [(text, value, part) for text, value in zip(texts, values, strict=True)]

    table = [*rows("train", 80, 30, 0.0), *rows("test", 50, 60, 0.5)]
    subject = make(table, pairs=False)
    own, train = subject.values("test"), subject.values("train")
    labels, lengths = across.label_shift(subject, "test"), across.length_shift(subject, "test")
    assert labels.numbers["distance"] == pytest.approx(distance(own, train))
    sizes = [[len(text) for text, _, part in table if part == p] for p in ("test", "train")]
    assert lengths.numbers["distance"] == pytest.approx(distance(sizes[0], sizes[1]))
    assert labels.severity == lengths.severity == "note"


def test_shared_with_validation(make: Make):
    rows = [*TRAIN, ("ME", "MH", 1, "validation"), *NEW]
    found = one(across.shared_with_validation(make(rows), "test"))
    assert found.severity == "warning"
    assert found.numbers == {"count": 1, "proteins": 3}
    assert across.shared_with_validation(make(rows), "validation") is None
    apart = [*TRAIN, ("MW", "MH", 1, "validation"), *NEW]
    assert one(across.shared_with_validation(make(apart), "test")).severity == "ok"


def test_shared_clusters(make: Make):
    rows = [("MA", 1, "train", "a"), ("MC", 0, "train", "b"), ("MD", 1, "validation", "a")]
    rows += [("ME", 1, "validation", "c"), ("MF", 0, "test", "d"), ("MG", 0, "test", "")]
    subject = make(rows, pairs=False)
    found = one(across.shared_clusters(subject, "validation"))
    assert (found.severity, found.examples) == ("warning", ("a",))
    assert found.numbers == {"count": 1, "clusters": 2}
    assert one(across.shared_clusters(subject, "test")).severity == "ok"
    assert across.shared_clusters(make([*TRAIN, *NEW]), "test") is None


def test_values_of_residues_are_compared_as_values(make: Make):
    rows = [("MA", "0.5 1.5", "train"), ("MCC", "[2, nan, 4]", "train"), ("MD", "9,8.5", "test")]
    found = across.label_shift(make(rows, pairs=False), "test")
    assert "the median label is 8.75, and 1.75 in train" in found.text
    assert found.numbers["distance"] == 1


def test_rows_of_train_are_compared_with_their_masks(make: Make):
    """Audits read the mask column, as training does."""
    subject = make([("MA", "HE", "train", "", "10"), ("MA", "HH", "test", "", "10")], pairs=False)
    found = across.shared_rows(subject, "test")
    assert found.numbers == {"count": 1, "other_label": 0}
