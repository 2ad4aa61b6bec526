import numpy as np
import pytest

from peftide.metrics import Support, Units, label_support


def test_rows_count_one_by_one() -> None:
    units = Units(np.arange(4)[:, None], "sequence")
    assert label_support(np.array([[1], [0], [1], [1]]), units) == {(): Support(3, 1)}


def test_positives_of_one_cluster_count_once() -> None:
    units = Units(np.array([[0], [0], [0], [1], [1]]), "cluster")
    found = label_support(np.array([[1], [1], [0], [0], [1]]), units)[()]
    assert (found.positives, found.negatives) == (2, 2)
    assert "cluster" in found.wording


@pytest.mark.parametrize(
    ("members", "positives"),
    [([(0, 1), (2, 3), (4, 5)], 3), ([(0, 1), (1, 0), (0, 1)], 2), ([(0, 1), (0, 2), (0, 3)], 3)],
    ids=["apart", "the same proteins", "hub"],
)
def test_positive_pairs_count_at_most_as_often_as_their_proteins(
    members: list[tuple[int, int]], positives: int
) -> None:
    units = Units(np.array(members), "protein")
    assert label_support(np.ones((3, 1)), units)[()].positives == positives


def test_each_class_stands_against_all_others() -> None:
    units = Units(np.arange(3)[:, None], "sequence")
    found = label_support(np.array([[1, 0], [0.5, 0], [0, 1]]), units, ("A", "B"), by_class=True)
    assert found == {
        ("per_class", "A"): Support(2, 1),
        ("per_class", "B"): Support(1, 2),
        ("micro",): Support(3, 3),
    }
