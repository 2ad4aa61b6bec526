from collections.abc import Callable

import pytest

from peftide.errors import InputError
from peftide.outcomes import Labels, ReadingOptions
from peftide.sequences import Examples
from peftide.tasks.residue_values import fit_residue_values, read_residue_values

Rows = Callable[..., Examples]
Reading = Callable[..., ReadingOptions]


@pytest.mark.parametrize(
    "text", ["1.5,2,-3", "1.5 2 -3", "1.5;2;-3", "[1.5, 2, -3]", "array([ 1.5,  2. , -3. ])"]
)
def test_each_residue_has_its_value(rows: Rows, reading: Reading, text: str) -> None:
    targets = read_residue_values(rows([text, "4 5"]), Labels(), reading([3, 2]))
    assert targets.values.tolist() == [[1.5], [2], [-3], [4], [5]]
    assert targets.offsets.tolist() == [0, 3, 5]
    assert targets.counted.all()
    assert targets.findings == ()


@pytest.mark.parametrize("text", ["1,nan,3", "1,NA,3", "1,,3", "1 NaN 3", "[1, None, 3]"])
def test_missing_values_are_masked_and_counted(rows: Rows, reading: Reading, text: str) -> None:
    examples = rows([text, "4 5"], masks=["110", "11"])
    targets = read_residue_values(examples, Labels(centre=7.0), reading([3, 2]))
    assert targets.counted.tolist() == [True, False, False, True, True]
    assert targets.values[:3].tolist() == [[1], [7], [7]]
    (finding,) = targets.findings
    assert (finding.kind, finding.count) == ("missing_residue_labels", 1)
    assert finding.examples == ("t.tsv:2",)


def test_one_digit_per_residue_is_a_value(rows: Rows, reading: Reading) -> None:
    assert read_residue_values(rows(["019"]), Labels(), reading([3])).values.sum() == 10


def test_labels_are_mean_and_deviation_of_the_residues_that_count(
    rows: Rows, reading: Reading
) -> None:
    examples = rows(["1 3 nan", "9 9"], counted=[True, False])
    labels = fit_residue_values(examples, reading([3, 2]))
    assert (labels.centre, labels.spread) == (2.0, 1.0)


def test_residues_beyond_the_crop_are_left_out(rows: Rows, reading: Reading) -> None:
    targets = read_residue_values(rows(["1 2 3", "4 5"]), Labels(), reading([3, 2], crop=2))
    assert targets.values[:, 0].tolist() == [1, 2, 4, 5]
    assert [found.kind for found in targets.findings] == ["cropped_residue_labels"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2", r"t\.tsv:3: label of 2 entries for a sequence of 3 residues"),
        ("1 2 3 4", r"t\.tsv:3: label of 4 entries for a sequence of 3 residues"),
        ("1 2 1e300", r"t\.tsv:3: label '1e300' is too large"),
        ("[1 2 ... 3]", r"t\.tsv:3: label .* was cut when it was written"),
        ("HEC", r"t\.tsv:3: label 'H' is not a finite number"),
    ],
)
def test_other_labels_are_refused_with_their_line(
    rows: Rows, reading: Reading, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        read_residue_values(rows(["1 2 4", text]), Labels(), reading([3, 3]))


def test_values_without_any_residue_that_counts_are_refused(rows: Rows, reading: Reading) -> None:
    with pytest.raises(InputError, match="no training label counts"):
        fit_residue_values(rows(["1 2"], masks=["00"]), reading([2]))
