import pytest

from peftide.errors import InputError
from peftide.tasks import TASKS
from peftide.tasks.detection import ABOUT_PAIRS, detect_task


def test_only_tasks_that_there_are_can_be_detected() -> None:
    assert {*ABOUT_PAIRS, *ABOUT_PAIRS.values()} <= TASKS.keys()


@pytest.mark.parametrize(
    ("labels", "single", "pair"),
    [
        (["0", "1", "1"], "binary", "ppi"),
        (["Yes", " no"], "binary", "ppi"),
        (["0.5", "1e-3", "2"], "regression", "pair-regression"),
        (["0.0", "1.0", "0.5", "0.5", "0.5", "1.0"], "regression", "pair-regression"),
        (["3", "14", "-15", "92"], "regression", "pair-regression"),
        (["nucleus", "cytosol", "nucleus"], "multiclass", "pair-multiclass"),
        (["yes", "no", "maybe", "no", "no", "no"], "multiclass", "pair-multiclass"),
        (["H", "T", "O", "T", "H", "O"], "multiclass", "pair-multiclass"),
        (["a", "a;b", "none"], "multilabel", "pair-multilabel"),
        (["C1", "C2", "D2,C2", "T"], "symmetry", "pair-multilabel"),
        (["c7-c9", "C2"], "symmetry", "pair-multiclass"),
    ],
)
def test_labels_say_the_task(labels: list[str], single: str, pair: str) -> None:
    lengths = [50] * len(labels)
    assert detect_task(labels, lengths=lengths, pairs=False)[0] == single
    assert detect_task(labels, lengths=None, pairs=True)[0] == pair


def test_classes_of_sets_may_be_numbers() -> None:
    assert detect_task(["0;3", "1", "1"], lengths=None, pairs=False)[0] == "multilabel"


@pytest.mark.parametrize("labels", [["HHE", " E", "0101"], ["HHE", "EE", "01011"]])
def test_labels_as_long_as_their_sequences_are_of_residues(labels: list[str]) -> None:
    """One that does not fit is a mistake that reading will name."""
    assert detect_task(labels, lengths=[3, 2, 4], pairs=False)[0] == "residue"


@pytest.mark.parametrize(
    ("labels", "seen", "tasks"),
    [
        (["0", "1", "2", "0", "1", "2"], "whole numbers from 0 to 2", "multiclass or --task regr"),
        (["1.5", "high", "2"], "numbers such as 1.5 and one text such as high", "regression"),
        (["1,5", "2,25"], "a comma for the point", "multilabel or --task regression"),
        (["it", "binds", "to", "DNA"], "4 different texts in 4 rows", "multiclass or --task multi"),
    ],
)
def test_labels_that_fit_several_tasks_are_asked_about(
    labels: list[str], seen: str, tasks: str
) -> None:
    with pytest.raises(InputError) as caught:
        detect_task(labels, lengths=None, pairs=False, where="t.tsv")
    assert str(caught.value).startswith("t.tsv: the labels are ")
    assert seen in str(caught.value)
    assert tasks in str(caught.value)


def test_for_pairs_the_tasks_on_pairs_are_named() -> None:
    with pytest.raises(InputError, match="--task pair-multiclass or --task pair-regression"):
        detect_task(["0", "1", "2"] * 3, lengths=None, pairs=True)
