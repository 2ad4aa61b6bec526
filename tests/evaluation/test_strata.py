from pathlib import Path

import numpy as np

from peftide.evaluation.rows import ScoredPart
from peftide.evaluation.strata import Trained, strata_table, trained_by
from peftide.sequences import Dataset, Examples, Proteins
from peftide.tasks import TASKS, Labels, Targets

PROTEINS = Proteins(("a", "b", "c", "d"), ("MK", "MKVL", "MK", "MKVLA"))  # c is a by another name


def rows_of(*members: tuple[int, ...], counted: tuple[bool, ...] | None = None) -> Examples:
    return Examples(
        path=Path("x.tsv"),
        lines=np.arange(len(members)),
        members=np.array(members, dtype=np.int64),
        counted=np.array(counted or [True] * len(members)),
    )


def dataset(train: Examples, test: Examples) -> Dataset:
    return Dataset(PROTEINS, {"train": train, "test": test}, ())


def test_pairs_know_length_degree_and_what_was_trained_on() -> None:
    train = rows_of((0, 1), (0, 0), (1, 3), counted=(True, True, False))
    test = rows_of((2, 1), (3, 2), (3, 1), counted=(True, True, False))
    data = dataset(train, test)
    targets = Targets(np.array([[1.0], [0.0], [1.0]]), test.counted, np.arange(4))
    table = strata_table(
        ScoredPart(TASKS["ppi"], Labels(), data, "test", targets), trained_by(data)
    )
    assert table.to_dict("list") == {
        "truth": [1, 0, 1],
        "length": [4, 5, 5],
        "seen": ["both_seen", "both_seen", "both_seen"],
        # of a protein under either name; a pair of it with itself is one pair
        "pairs_in_part": [2, 2, 1],
        "pairs_in_train": [2, 2, 1],
    }


def test_proteins_that_training_never_saw_are_told_apart() -> None:
    test = rows_of((0, 1), (1, 3), (3, 3))
    seen = Trained(np.array([True, True, False, False]), None)
    targets = Targets(np.ones((3, 1)), test.counted, np.arange(4))
    table = strata_table(
        ScoredPart(TASKS["ppi"], Labels(), dataset(test, test), "test", targets), seen
    )
    assert table["seen"].tolist() == ["both_seen", "one_seen", "none_seen"]
    assert "pairs_in_train" not in table


def test_a_pair_is_as_similar_to_training_as_its_less_similar_protein() -> None:
    test = rows_of((0, 1), (1, 3), (3, 3))
    known = Trained(np.zeros(4, dtype=bool), None, np.array([0.9, 0.5, np.nan, 0.0]))
    targets = Targets(np.ones((3, 1)), test.counted, np.arange(4))
    table = strata_table(
        ScoredPart(TASKS["ppi"], Labels(), dataset(test, test), "test", targets), known
    )
    assert table["similarity"].tolist() == [0.5, 0.0, 0.0]


def test_residues_repeat_the_length_of_their_sequence() -> None:
    test = rows_of((0,), (1,))
    labels = Labels(class_names=("E", "H"))
    values = np.array([[1, 0], [0, 1], [0, 1], [1, 0], [1, 0]], dtype=np.float32)
    counted = np.array([True, True, False, True, True])
    targets = Targets(values, counted, np.array([0, 2, 5]))  # the second one is cropped to 3
    nothing = Trained(np.zeros(4, dtype=bool), None)
    table = strata_table(
        ScoredPart(TASKS["residue"], labels, dataset(test, test), "test", targets), nothing
    )
    assert table.to_dict("list") == {
        "truth": ["E", "H", "H", "E", "E"],
        "length": [2, 2, 4, 4, 4],
    }


def test_several_classes_of_a_sequence_are_all_named() -> None:
    test = rows_of((0,), (3,))
    targets = Targets(np.array([[0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]), test.counted, np.arange(3))
    labels = Labels(class_names=("C1", "C2", "D2"))
    part = ScoredPart(TASKS["symmetry"], labels, dataset(test, test), "test", targets)
    table = strata_table(part, Trained(np.zeros(4, dtype=bool), None))
    assert table["truth"].tolist() == ["C1|D2", "C2"]
    assert table["seen"].tolist() == ["unseen", "unseen"]
