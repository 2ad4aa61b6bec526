"""One shape for all messages."""

import pytest

from peftide.errors import (
    LONGEST_MESSAGE,
    SHOWN_PROBLEMS,
    BackboneError,
    InputError,
    PeftideError,
    Problems,
    StorageError,
    TrainingError,
    did_you_mean,
    raise_problems,
)


def test_a_message_says_where_what_expected_and_what_to_do():
    error = InputError("received 7", expected="1 to 3", where="a.tsv:4", fix="Write 3")
    assert str(error) == "a.tsv:4: received 7; expected 1 to 3. Write 3"


def test_a_message_leaves_out_what_is_not_known():
    assert str(InputError("received 7")) == "received 7"


@pytest.mark.parametrize(
    ("kind", "builtin", "exit_code"),
    [
        (InputError, ValueError, 2),
        (BackboneError, ValueError, 2),
        (TrainingError, RuntimeError, 1),
        (StorageError, RuntimeError, 1),
    ],
)
def test_errors_are_those_of_python_too(
    kind: type[PeftideError], builtin: type[Exception], exit_code: int
):
    assert issubclass(kind, PeftideError)
    assert issubclass(kind, builtin)
    assert kind.exit_code == exit_code


def test_the_closest_name_is_suggested_whatever_its_case():
    assert did_you_mean("LORRA", ["head", "lora"]) == "Did you mean lora? Known: head, lora"
    assert did_you_mean("qqqq", ["head", "lora"]) == "Known: head, lora"
    many = [f"a{k}" for k in range(30)] + ["zzz_a", "zzz_b"]
    assert did_you_mean("zzz", many) == "Did you mean zzz_b?"
    assert did_you_mean("0xyzq_b", many).startswith("Some of 32: ")


def test_no_problems_raise_nothing():
    raise_problems([])


def test_one_problem_is_said_as_it_is():
    with pytest.raises(InputError, match=r"^a.tsv:2: bad\. Mend it$"):
        raise_problems(["a.tsv:2: bad"], fix="Mend it")


def test_many_problems_are_shown_in_part_and_counted():
    with pytest.raises(InputError) as caught:
        raise_problems([f"line {k} is bad" for k in range(SHOWN_PROBLEMS + 2)], fix="Mend them")
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{SHOWN_PROBLEMS + 2} problems in the input:"
    assert lines[-2:] == ["  … and 2 more", "Mend them"]
    assert len(lines) == SHOWN_PROBLEMS + 3


def test_problems_of_several_steps_are_raised_in_the_order_of_their_lines():
    problems = Problems()
    for line in (10, 9):
        with problems.collected():
            raise_problems([f"a.tsv:{line}: bad {line}"], fix="Mend it")
    with problems.collected(only_of_rows=True):
        raise InputError("all labels are 1", where="a.tsv")
    with pytest.raises(InputError) as caught:
        problems.raise_all()
    assert str(caught.value).splitlines()[1:] == [
        "  a.tsv:9: bad 9",
        "  a.tsv:10: bad 10",
        "Mend it",
    ]


def test_long_problems_leave_room_for_the_advice():
    with pytest.raises(InputError) as caught:
        raise_problems([f"{k}" + "x" * 1000 for k in range(30)], fix="Mend them")
    said = str(caught.value)
    assert len(said) < LONGEST_MESSAGE
    assert said.endswith("  … and 25 more\nMend them")


def test_a_problem_of_several_lines_is_shown_once_and_counted_for_each():
    same = [f"a.tsv:{line}: label 'inf' is no number" for line in range(2, 9)]
    with pytest.raises(InputError) as caught:
        raise_problems([*same, "a.tsv:9: the id is empty", "DataFrame: row 1: x: y"])
    assert str(caught.value).splitlines() == [
        "9 problems in the input:",
        "  a.tsv:2: label 'inf' is no number (also in lines 3, 4, 5 and 3 more)",
        "  a.tsv:9: the id is empty",
        "  DataFrame: row 1: x: y",
    ]


def test_equal_problems_of_two_files_stay_apart():
    with pytest.raises(InputError) as caught:
        raise_problems(["a.tsv:2: bad", "b.tsv:2: bad", "b.tsv:4: bad"])
    assert str(caught.value).splitlines()[1:] == [
        "  a.tsv:2: bad",
        "  b.tsv:2: bad (also in line 4)",
    ]


def test_long_names_are_cropped_where_all_are_listed():
    said = did_you_mean("mutant", ["x" * 5000, "mutants" + "y" * 5000])
    assert len(said) < 300
    assert "mutants" in said
