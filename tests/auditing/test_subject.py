"""What the checks ask of a data set."""

import pytest

from tests.auditing.conftest import Make


def test_degrees_count_each_pair_once_and_no_self_pair(make: Make):
    subject = make(
        [
            ("MA", "MC", 1, "train"),
            ("MC", "MA", 1, "train"),  # a repeat
            ("MA", "MD", 0, "train"),
            ("MA", "MA", 1, "train"),
            ("MC", "MD", 0, "test"),
        ]
    )
    positive, negative = subject.degrees("train")
    assert positive.tolist() == [1, 1, 0]
    assert negative.tolist() == [1, 0, 1]
    assert subject.in_train("test").tolist() == [[True, True]]
    assert subject.later == ["test"]


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (["1", "0", "1"], "yes_no"),
        (["true", "No", "1"], "yes_no"),
        (["C2", "D3", "C2"], "classes"),
        (["3", "4", "5"], "classes"),
        (["HHE", "EHE", "CCC"], "residues"),
        (["HH", "E", "CCC"], "classes"),
        ([f"{0.1 * n:.2f}" for n in range(31)], "values"),
        (["nan", *(f"{0.1 * n:.2f}" for n in range(30))], "classes"),
    ],
)
def test_kinds_of_labels(make: Make, labels: list[str], kind: str):
    sequences = [
        "M" + "ACDEFGHIKLMNPQRSTVWY"[n % 20] + "ACDEFGHIKLMNPQRSTVWY"[n // 20] for n in range(40)
    ]
    rows = [(sequences[n], label, "train") for n, label in enumerate(labels)]
    assert make(rows, pairs=False).label_kind == kind


def test_a_sequence_is_one_protein_under_any_id(make: Make):
    subject = make([("MA", "MC", 1, "train"), ("MC", "MD", 0, "test")])
    assert subject.proteins("train").tolist() == [0, 1]
    assert subject.proteins("test").tolist() == [1, 2]
    assert subject.name(2) == "seq_3"
    assert subject.lengths.tolist() == [2, 2, 2]
