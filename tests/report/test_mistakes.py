import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from peftide.outcomes.categorical import UNTRAINED
from peftide.report.mistakes import (
    confusion,
    confusion_table,
    confusion_tsv,
    most_frequent,
    surest_mistakes,
)
from tests.report.conftest import NASTY, Outline, make_part


def test_the_confusion_of_yes_and_no_is_that_of_scikit_learn() -> None:
    generator = np.random.default_rng(0)
    truth, answers = generator.integers(0, 2, 50), generator.uniform(size=50)
    found = confusion(make_part("binary", truth, answers), threshold=0.4)
    assert found is not None
    names, counts = found
    assert names == ("no", "yes")
    assert counts.tolist() == confusion_matrix(truth, answers >= 0.4).tolist()


def test_a_row_with_several_classes_stands_under_the_predicted_one() -> None:
    truth = [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    answers = [[0.1, 0.8, 0.1], [0.1, 0.1, 0.8], [0.8, 0.1, 0.1]]
    part = make_part("categorical", truth, answers, class_names=("A", "B", "C"))
    found = confusion(part, threshold=None)
    assert found is not None
    names, counts = found
    assert names == ("A", "B", "C", UNTRAINED)
    assert counts.tolist() == [[0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]


def test_eighteen_classes_make_a_table_with_header_cells() -> None:
    names = tuple(f"C{k}" for k in range(18))
    table = Outline(confusion_table(names, np.eye(18, dtype=np.int64) * 1000))
    assert len(table.all("th")) == 1 + 18 + 18
    assert table.text("td").count("1,000") == 18
    assert confusion_tsv(("a", "b"), np.eye(2, dtype=np.int64)) == "true\ta\tb\na\t1\t0\nb\t0\t1\n"


def test_the_surest_mistake_comes_first_and_right_rows_never() -> None:
    rows = {"id": np.array(["right", "wrong", NASTY], dtype=object)}
    part = make_part("binary", [1, 1, 0], [0.9, 0.4, 0.99], rows=rows)
    shown = surest_mistakes(part, threshold=0.5)
    assert shown is not None
    cells = Outline(shown).text("th", "td")
    assert cells.index("alert") < cells.index("wrong")
    assert "right" not in cells
    assert "yes (0.990)" in cells
    assert surest_mistakes(make_part("binary", [1], [0.9]), threshold=0.5) is None
    assert surest_mistakes(make_part("multilabel", [[1]], [[0.9]]), threshold=0.5) is None


def test_rows_without_one_true_class_have_no_confusion() -> None:
    assert confusion(make_part("multilabel", [[1]], [[0.9]]), threshold=0.5) is None
    assert confusion(make_part("continuous", [1.0], [2.5]), threshold=None) is None


def test_of_many_classes_the_most_frequent_are_shown_and_none_is_lost() -> None:
    counts = np.random.default_rng(0).integers(0, 5, (60, 60))
    counts[7], counts[:, 9] = 100, 100
    names, merged = most_frequent(tuple(f"C{k}" for k in range(60)), counts)
    assert (len(names), merged.shape) == (24, (24, 24))
    assert {"C7", "C9"} <= set(names)
    assert names[-1] == "37 other classes"
    assert merged.sum() == counts.sum()
    assert merged[names.index("C7"), names.index("C9")] == 100
    table = Outline(confusion_table(tuple(f"C{k}" for k in range(60)), counts))
    assert "their confusions are on the diagonal" in table.text("figcaption")


@pytest.mark.parametrize(("length", "upright"), [(2, False), (30, True)])
def test_long_names_of_classes_are_written_upright(length: int, upright: bool) -> None:
    shown = confusion_table(
        tuple("abcdefghij"[k] * length for k in range(10)), np.eye(10, dtype=int)
    )
    assert ("upright" in str(Outline(shown).all("table")[0]["class"])) is upright
