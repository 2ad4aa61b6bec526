from collections.abc import Callable

import pytest

from peftide.errors import InputError
from peftide.sequences import Examples
from peftide.tasks import Labels, ReadingOptions
from peftide.tasks.multiclass import fit_classes, read_classes

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]
AB = Labels(class_names=("a", "b"))


def test_classes_are_those_of_train_numbers_by_value_then_words(
    rows: Rows, reading: Reading
) -> None:
    labels = fit_classes(rows(["10", "2", "b", "2", "B"]), reading())
    assert labels.class_names == ("2", "10", "B", "b")
    assert labels.class_counts == (2.0, 1.0, 1.0, 1.0)


def test_each_row_has_its_class(rows: Rows, reading: Reading) -> None:
    targets = read_classes(rows(["b", "a"]), AB, reading())
    assert targets.values.tolist() == [[0, 1], [1, 0]]
    assert targets.findings == ()


def test_a_row_of_a_class_that_train_lacks_counts_and_has_no_right_answer(
    rows: Rows, reading: Reading
) -> None:
    targets = read_classes(rows(["b", "z"]), AB, reading())
    assert targets.values.tolist() == [[0, 1], [0, 0]]
    assert targets.counted.tolist() == [True, True]
    (finding,) = targets.findings
    assert (finding.kind, finding.count) == ("rows_of_unknown_classes", 1)
    assert finding.examples == ("t.tsv:3",)


def test_a_part_with_other_classes_only_is_refused(rows: Rows, reading: Reading) -> None:
    labels = Labels(class_names=("nucleus", "cytosol"))
    with pytest.raises(InputError, match=r"t\.tsv:2: train has none .*Did you mean nucleus"):
        read_classes(rows(["Nucleus", "Nucleus"]), labels, reading())


def test_one_class_only_is_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"one class only \(a\)"):
        fit_classes(rows(["a", "a"]), reading())


def test_labels_that_all_differ_are_no_classes(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="all 3 training labels differ .*--task regression"):
        fit_classes(rows(["0.1", "0.2", "0.3"]), reading())
