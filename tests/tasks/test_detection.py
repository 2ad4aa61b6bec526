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
        (["yes", "no", "maybe", "no", "maybe", "no"], "multiclass", "pair-multiclass"),
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
        (
            ["1.5", "high", "2"],
            "numbers such as 1.5 and one text such as 'high' (row 2)",
            "regression",
        ),
        (
            ["1,5", "2,25"],
            "numbers with a comma, such as '1,5' (row 1)",
            "multilabel or --task reg",
        ),
        (["7", "1 234"], "signs between thousands, such as '1 234' (row 2)", "multilabel or"),
        (["[1.5]", "[2.5]"], "numbers with brackets, such as '[1.5]' (row 1)", "multilabel or"),
        (["10%", "20%", "10%", "20%"], "a percent sign, such as '10%' (row 1)", "or --task regr"),
        (["7.5", ">9", "<NA>"], "a sign in front, such as '>9' (row 2)", "or --task regression"),
        (["7.5", "n.a."], "'n.a.' (row 2), which looks like a missing value", "Leave out these"),
        (["1.0", "2.0", "3.0"] * 2, "whole numbers from 1 to 3, 3 different", "multiclass or"),
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


def refusal(labels: list[str], lengths: list[int] | None = None, *, stops: int = 0) -> str:
    with pytest.raises(InputError) as caught:
        detect_task(
            labels,
            lengths=lengths,
            pairs=False,
            where="t.tsv",
            place=lambda row: f"t.tsv:{row + 2}",
            stops=stops,
        )
    return str(caught.value)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["['a', 'b']", "['a']", "[]"], "sets of 2 classes"),
        (["{'a'}", "set()", "{'b', 'a'}"], "sets of 2 classes"),
        (["1,0,1", "0,0,1", "1,1,1"], "0 or 1 for each of 3 classes"),
        (["[1 0 1]", "[0 0 1]", "none"], "0 or 1 for each of 3 classes"),
        (["True False", "False False"], "0 or 1 for each of 2 classes"),
        (["[3, 17]", "[4]"], "sets of 3 classes"),
    ],
)
def test_lists_are_sets_of_classes(labels: list[str], reason: str) -> None:
    assert detect_task(labels, lengths=[50] * len(labels), pairs=False)[0] == "multilabel"
    task, words = detect_task(labels, lengths=None, pairs=True)
    assert (task, reason in words) == ("pair-multilabel", True)


def test_a_list_of_symmetry_groups_is_of_symmetry() -> None:
    assert detect_task(["['C2', 'D2']", "['C1']"], lengths=None, pairs=False)[0] == "symmetry"


def test_names_in_brackets_are_words() -> None:
    labels = ["[2Fe-2S]", "[4Fe-4S]", "[2Fe-2S]", "[4Fe-4S]"]
    assert detect_task(labels, lengths=None, pairs=False)[0] == "multiclass"


@pytest.mark.parametrize("labels", [["0.5,1,2", "1,2"], ["[0.5 nan 2]", "[1 2]"]])
def test_one_number_per_residue_is_a_value(labels: list[str]) -> None:
    assert detect_task(labels, lengths=[3, 2], pairs=False)[0] == "residue-regression"


@pytest.mark.parametrize("labels", [["0 1 1", "1 0"], ["[0. 2. 1.]", "[1. 1.]"]])
def test_whole_numbers_per_residue_may_be_classes(labels: list[str]) -> None:
    assert "--task residue or --task residue-regression" in refusal(labels, [3, 2])


def test_columns_may_be_as_long_as_peptides_of_one_length() -> None:
    said = refusal(["1,0,1", "0,0,1", "1,1,1"], [3, 3, 3])
    assert "--task multilabel or --task residue or --task residue-regression" in said
    # as text of 5 characters they are no residues of peptides of 5
    assert detect_task(["1,0,1", "0,0,1"], lengths=[5, 5], pairs=False)[0] == "multilabel"


def test_lists_that_were_cut_are_refused_with_their_line() -> None:
    said = refusal(["[0 0 ... 0]", "[0 1 ... 0]"], [300, 200])
    assert "t.tsv:2: label '[0 0 ... 0]' was cut when it was written" in said
    assert "t.tsv:3" in said


def test_lists_of_numbers_without_a_meaning_are_asked_about() -> None:
    said = refusal(["0.5,0.25,3", "1.5,2", "7.5,1"], [90, 80, 70])
    assert "neither one per residue nor 0 and 1 of one length ('0.5,0.25,3', t.tsv:2)" in said


def test_labels_longer_than_their_sequences_name_the_stop() -> None:
    lengths = [20, 30, 25]
    said = refusal(["0" * 12 + "1" * (n - 11) for n in lengths], lengths, stops=3)
    assert said.startswith("t.tsv:2: ")
    assert "3 of 3 labels are 1 longer than their sequences, which lost the '*'" in said
    assert "--task residue" in said


@pytest.mark.parametrize("digits", [16, 25, 5000])
def test_long_digits_are_neither_values_nor_classes(digits: int) -> None:
    labels = ["0" * digits, "1" * (digits + 7), "01" * digits]
    assert "--task residue or --task multiclass" in refusal(labels, [90, 80, 300])
    with pytest.raises(InputError, match="--task pair-multiclass"):
        detect_task(labels, lengths=None, pairs=True)


@pytest.mark.parametrize(
    ("labels", "words", "tasks"),
    [
        (["yes", "no"] * 10 + ["noo"], "yes or no, except 'noo' (t.tsv:22)", "binary or --task m"),
        (["1", "0"] * 10 + ["11"], "except '11' (t.tsv:22)", "multiclass or --task regression"),
        (["1", "0"] * 10 + ["NA"], "except 'NA' (t.tsv:22)", "binary or --task multiclass"),
        (
            ["1", "0"] * 5 + ["NA"] * 9,
            "'NA' (t.tsv:12), which looks like a missing value",
            "binary",
        ),
        (["yes", "no", "n.d."] * 5, "'n.d.' (t.tsv:4), which looks like a missing value", "binary"),
        (
            ["in", "out"] * 10 + ["in, out"],
            "single classes, except 1 row with a separator in the label ('in, out', t.tsv:22)",
            "multilabel or --task multiclass",
        ),
        (["yes", "no"] * 10 + ["y\u0435s"], "(with CYRILLIC SMALL LETTER IE) (t.tsv:22)", "binary"),
        (["C1", "D2"] * 10 + ["mono"], "symmetry groups, except 'mono' (t.tsv:22)", "symmetry or"),
        (["0.5", "1.25"] * 10 + ["high"], "such as 'high' (t.tsv:22)", "multiclass or --task reg"),
    ],
)
def test_one_odd_label_is_named_with_its_line(labels: list[str], words: str, tasks: str) -> None:
    said = refusal(labels, [50] * len(labels))
    assert words in said
    assert tasks in said


def test_numbers_and_words_as_long_as_all_peptides_are_not_of_residues() -> None:
    numbers = [f"{k / 7:.7f}" for k in range(1, 9)]
    assert detect_task(numbers, lengths=[9] * 8, pairs=False)[0] == "regression"
    words = ["nonbinder"] * 6 + ["binder"] * 3
    assert detect_task(words, lengths=[9] * 9, pairs=False)[0] == "multiclass"
    assert detect_task(["000010010"] * 6, lengths=[9] * 6, pairs=False)[0] == "residue"


def test_sets_of_classes_in_many_rows_need_no_question() -> None:
    for labels in (["in", "out"] * 4 + ["in;out"], ["in"] * 30 + ["none", "in,out"]):
        assert detect_task(labels, lengths=None, pairs=False)[0] == "multilabel"


def test_infinite_numbers_per_residue_are_values_to_refuse() -> None:
    labels = ["0.5,inf,1", "1,2.5"]
    assert detect_task(labels, lengths=[3, 2], pairs=False)[0] == "residue-regression"


def test_lists_of_numbers_with_decimal_commas_are_named() -> None:
    assert "t.tsv:2: label '0,5;1,5' has commas for the decimal point" in refusal(
        ["0,5;1,5", "0,5;2,5"], [2, 2]
    )


def test_sites_are_no_classes() -> None:
    labels, lengths = ["2;19", "3;11", "4", "5;38"], [20, 12, 9, 40]
    assert "sets of whole numbers, none beyond the end of its sequence: sites, or classes" in (
        said := refusal(labels, lengths)
    )
    assert "Write sites as one character per residue" in said
    assert detect_task(labels, lengths=[50] * 4, pairs=False)[0] == "multilabel"
    assert detect_task(labels, lengths=[20, 12, 9, 10], pairs=False)[0] == "multilabel"


def test_residue_labels_with_blanks_between_them_are_read_as_such() -> None:
    labels = ["H E E", "E H H E", "C C H E E"]
    assert detect_task(labels, lengths=[3, 4, 5], pairs=False)[0] == "residue"


def test_words_among_the_numbers_of_residues_are_named() -> None:
    with pytest.raises(InputError, match=r"numbers such as 0\.5 and words such as 'x' \(row 2\)"):
        detect_task(["0.5 1.5", "0.5 x 1.5"], lengths=[2, 3], pairs=False)


def test_arrays_of_0_and_1_are_columns() -> None:
    labels = ["array([1, 0, 1])", "array([0, 1, 1], dtype=int8)"] * 3
    assert detect_task(labels, lengths=[50] * 6, pairs=False)[0] == "multilabel"
