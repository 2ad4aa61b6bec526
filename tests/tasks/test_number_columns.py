"""Labels that are numbers, or nearly; other labels are left to others."""

from collections import Counter

import pytest

from peftide.errors import InputError
from peftide.tasks.column import Column, row_number
from peftide.tasks.detection import detect_task
from peftide.tasks.number_columns import numbers_detected


def test_words_are_left_to_others() -> None:
    labels = ("nucleus", "cytosol", "0-10")
    assert numbers_detected(Column(labels, Counter(labels), row_number), None) is None


@pytest.mark.parametrize("halves", [["0.5"], ["0.25", "0.50", "0.75"]])
def test_a_few_numbers_between_0_and_1_are_named(halves: list[str]) -> None:
    with pytest.raises(InputError, match=r"0 and 1 and between them 0\.[25].*--task binary"):
        detect_task(["0", "1"] * 5 + halves * 2, lengths=None, pairs=False)


def test_residue_labels_that_a_spreadsheet_rounded_are_no_values() -> None:
    labels = ["1.00010E+18", "1.01E+16", "101", "11000"]
    with pytest.raises(
        InputError, match=r"1.00010E\+18.*a spreadsheet has rounded.*--task residue"
    ):
        detect_task(labels, lengths=[19, 17, 18, 20], pairs=False)
    assert detect_task(labels, lengths=[12, 17, 18, 20], pairs=False)[0] == "regression"


@pytest.mark.parametrize(
    "labels",
    [["01-Feb", "02-Mar"], ["2.Jan", "0.5"], ["10²", "5×10⁻³"], ["0.5 (n=3)", "0.7"]],
)
def test_dates_and_notes_are_no_classes(labels: list[str]) -> None:
    with pytest.raises(InputError, match="labels are numbers with .*--task regression"):
        detect_task(labels * 5, lengths=None, pairs=False)


def test_a_decimal_comma_is_shown_with_a_point() -> None:
    with pytest.raises(
        InputError, match=r"write 0\.03 instead of 0,03 for --task regression; else"
    ):
        detect_task(["0,03", "1,25", "2,5"], lengths=[90] * 3, pairs=False)


def test_a_running_number_is_doubted() -> None:
    running = [str(number) for number in range(60)]
    task, reason = detect_task(running, lengths=[90] * 60, pairs=False)
    assert task == "regression"
    assert reason.endswith(": a running number; is the column an id?")
    running[7] = "99"
    assert "running" not in detect_task(running, lengths=[90] * 60, pairs=False)[1]
