import numpy as np
import pytest

from peftide.splitting.label_shares import MOST_CLASSES, OTHERS, label_shares


def test_classes_are_told_apart_and_sets_shared_out() -> None:
    found = label_shares(["C1", "C2, D2", "C1"], lengths=[50, 60, 70])
    assert found.names == ("C1", "C2", "D2")
    np.testing.assert_array_equal(found.values, [[1, 0, 0], [0, 0.5, 0.5], [1, 0, 0]])
    assert found.strata().tolist() == [0, 1, 0]
    assert found.means(np.array([0, 1])) == {"C1": 0.5, "C2": 0.25, "D2": 0.25}


def test_values_fall_into_ranges_of_equal_size() -> None:
    numbers = [str(0.5 * k) for k in range(100)]
    found = label_shares(numbers, lengths=[30] * 100)
    assert found.values.sum(axis=0).tolist() == [20] * 5
    assert found.names[0].startswith("0 to ")
    assert found.strata().tolist() == sorted(found.strata())


def test_few_numbers_are_classes() -> None:
    assert label_shares(["1", "0", "1"], lengths=None).names == ("0", "1")


def test_labels_of_residues_are_counted_letter_by_letter() -> None:
    found = label_shares(["HHE ", "EE"], lengths=[4, 2])
    assert found.names == (" ", "E", "H")
    np.testing.assert_allclose(found.values, [[0.25, 0.25, 0.5], [0, 1, 0]])


def test_rare_classes_count_together() -> None:
    labels = [f"class {k}" for k in range(MOST_CLASSES + 10) for _ in range(1 + (k < MOST_CLASSES))]
    found = label_shares(labels, lengths=None)
    assert len(found.names) == MOST_CLASSES + 1
    assert found.names[-1] == OTHERS
    assert found.values[:, -1].sum() == 10


@pytest.mark.parametrize("labels", [None, []])
def test_no_labels_have_no_classes(labels: list[str] | None) -> None:
    found = label_shares(labels, lengths=None)
    assert found.names == ()
    assert found.means(np.array([], dtype=np.int64)) == {}


def test_lists_share_their_classes_out() -> None:
    shares = label_shares(["['a', 'b']", "{'a'}", "[]"], lengths=None)
    assert shares.names == ("a", "b", "none")
    assert shares.values.tolist() == [[0.5, 0.5, 0], [1, 0, 0], [0, 0, 1]]
    columns = label_shares(["1,0,1", "0,0,1"], lengths=None)
    assert columns.names == ("class_1", "class_3")


def test_values_of_residues_are_balanced_by_their_mean() -> None:
    shares = label_shares(["0.5 1.5", "7.5,nan", "2.5 3.5 4.5"], lengths=[2, 2, 3])
    assert shares.strata().argsort().tolist() == [0, 2, 1]
