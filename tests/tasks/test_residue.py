import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions
from peftide.sequences import Examples
from peftide.tasks.residue import fit_residue, read_residue

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]
HE = Labels(class_names=("E", "H"))


def test_each_residue_has_its_class(rows: Rows, reading: Reading) -> None:
    targets = read_residue(rows(["HE", "EHH"]), HE, reading([2, 3]))
    assert targets.values.argmax(axis=1).tolist() == [1, 0, 0, 1, 1]
    assert targets.values.sum(axis=1).tolist() == [1] * 5
    assert targets.offsets.tolist() == [0, 2, 5]
    assert targets.counted.all()


def test_classes_are_those_of_train_in_alphabetical_order(rows: Rows, reading: Reading) -> None:
    labels = fit_residue(rows(["HH-", "E H"]), reading([3, 3]))
    assert labels.class_names == (" ", "-", "E", "H")
    assert labels.class_counts == (1.0, 1.0, 1.0, 3.0)


def test_a_label_of_another_length_is_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError) as caught:
        fit_residue(rows(["HE", "HHH"]), reading([2, 4]))
    assert "t.tsv:3: label of 3 characters for a sequence of 4 residues" in str(caught.value)


@pytest.mark.parametrize(
    ("mask", "message"),
    [
        ("0", "t.tsv:3: mask of 1 character for a sequence of 2 residues. Labels and masks have"),
        ("1x", "t.tsv:3: mask with other characters than 0 and 1. A mask has a 1 for each"),
    ],
)
def test_a_mask_of_another_length_or_alphabet_is_refused(
    rows: Rows, reading: Reading, mask: str, message: str
) -> None:
    examples = rows(["HE", "HH"], masks=["11", mask])
    with pytest.raises(InputError) as caught:
        read_residue(examples, HE, reading([2, 2]))
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["NA", "n.d.", "?"])
def test_a_missing_label_is_named_as_one(rows: Rows, reading: Reading, text: str) -> None:
    with pytest.raises(InputError, match=rf"t\.tsv:3: label '{re.escape(text)}' looks like a miss"):
        fit_residue(rows(["HEH", text]), reading([3, 5]))


def test_rows_of_signs_for_missing_labels_are_counted(rows: Rows, reading: Reading) -> None:
    examples = rows(["HE", "??", "EH"], masks=["11", "11", "11"])
    targets = read_residue(examples, fit_residue(examples, reading([2, 2, 2])), reading([2, 2, 2]))
    assert [(f.kind, f.examples) for f in targets.findings] == [
        ("labels_like_missing_values", ("t.tsv:3",))
    ]
    masked = rows(["HE", "??"], masks=["11", "00"])
    assert read_residue(masked, HE, reading([2, 2])).findings == ()


def test_masks_that_leave_no_residue_are_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv: no training label counts: all are masked"):
        fit_residue(rows(["HE", "EE"], masks=["00", "00"]), reading([2, 2]))


def test_masked_residues_and_uncounted_rows_do_not_count(rows: Rows, reading: Reading) -> None:
    examples = rows(["HE", "EH", "HH"], masks=["10", "11", "01"], counted=[True, False, True])
    targets = read_residue(examples, HE, reading([2, 2, 2]))
    assert targets.counted.tolist() == [True, False, False, False, False, True]


def test_residues_beyond_the_crop_are_left_out_and_counted(rows: Rows, reading: Reading) -> None:
    examples = rows(["HEE", "EEEEE"], masks=["011", "11111"])
    targets = read_residue(examples, HE, reading([3, 5], crop=2))
    assert targets.values.argmax(axis=1).tolist() == [1, 0, 0, 0]
    assert targets.counted.tolist() == [False, True, True, True]
    (finding,) = targets.findings
    assert (finding.kind, finding.count) == ("cropped_residue_labels", 4)


def test_residues_of_a_class_that_train_lacks_count_and_have_no_right_answer(
    rows: Rows, reading: Reading
) -> None:
    targets = read_residue(rows(["HE", "GHG"]), HE, reading([2, 3]))
    assert targets.values.tolist() == [[0, 1], [1, 0], [0, 0], [0, 1], [0, 0]]
    assert targets.counted.all()
    (finding,) = targets.findings
    assert (finding.kind, finding.count) == ("rows_of_unknown_classes", 2)
    assert finding.examples == ("t.tsv:3",)


def test_a_part_with_other_classes_only_is_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv:2: train has none .*'G'.*Known: E, H"):
        read_residue(rows(["GG"]), HE, reading([2]))


def test_one_class_only_is_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv: .*one class only \(H\)"):
        fit_residue(rows(["HH", "HHH"]), reading([2, 3]))


def test_a_class_that_is_masked_everywhere_does_not_count(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="one class only"):
        fit_residue(rows(["HE"], masks=["10"]), reading([2]))


def test_classes_behind_the_mask_or_the_crop_are_none(rows: Rows, reading: Reading) -> None:
    examples = rows(["-HEX", "EH--"], masks=["0111", "1100"])
    assert fit_residue(examples, reading([4, 4], crop=3)).class_names == ("E", "H")
    targets = read_residue(examples, HE, reading([4, 4], crop=3))
    assert targets.counted.tolist() == [False, True, True, True, True, False]
    assert [found.kind for found in targets.findings] == ["cropped_residue_labels"]


def test_values_are_numbers_of_the_model(rows: Rows, reading: Reading) -> None:
    assert read_residue(rows(["HE"]), HE, reading([2])).values.dtype == np.float32


@pytest.mark.parametrize("text", ["['E', 'H', 'H']", "[E, H, H]", "(E; H; H)"])
def test_lists_have_an_entry_per_residue(rows: Rows, reading: Reading, text: str) -> None:
    targets = read_residue(rows([text, "HE"]), HE, reading([3, 2]))
    assert targets.values.argmax(axis=1).tolist() == [0, 1, 1, 1, 0]


def test_lists_of_numbers_name_classes(rows: Rows, reading: Reading) -> None:
    labels = fit_residue(rows(["[0 10 2]", "0 2"]), reading([3, 2]))
    assert labels.class_names == ("0", "10", "2")
    assert labels.class_counts == (2.0, 1.0, 2.0)


def test_missing_entries_of_lists_are_masked_and_counted(rows: Rows, reading: Reading) -> None:
    targets = read_residue(rows(["['E', None, 'H']"]), HE, reading([3]))
    assert targets.counted.tolist() == [True, False, True]
    assert [(f.kind, f.count) for f in targets.findings] == [("missing_residue_labels", 1)]


def test_a_list_that_was_cut_is_named(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match=r"t\.tsv:2: label '\[0 0 ... 1\]' was cut"):
        fit_residue(rows(["[0 0 ... 1]", "[0 1]"]), reading([300, 2]))


def test_the_source_of_a_wrong_length_is_named(rows: Rows, reading: Reading) -> None:
    options = replace(reading([2, 3]), stops=2)
    with pytest.raises(InputError, match=r"1 longer than their sequences, which lost the '\*'"):
        fit_residue(rows(["HEE", "EHHE"]), options)


def test_classes_that_differ_in_case_are_named(rows: Rows, reading: Reading) -> None:
    labels = Labels(class_names=("H", "h"))
    (finding,) = read_residue(rows(["Hh"]), labels, reading([2])).findings
    assert finding.kind == "similar_classes"


def test_a_mask_that_lost_its_leading_zeros_is_said_to_have(rows: Rows, reading: Reading) -> None:
    examples = rows(["HEHE"], masks=["11"])
    with pytest.raises(InputError, match=r"pandas may have removed 2 zeros from its start"):
        read_residue(examples, fit_residue(rows(["HEHE"]), reading([4])), reading([4]))
