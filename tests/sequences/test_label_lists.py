"""Lists in label cells, as programs and people write them."""

import json
from collections.abc import Callable

import numpy as np
import pytest

from peftide.sequences.label_lists import (
    columns_of,
    is_missing,
    label_list,
    list_fault,
    list_text,
    split_classes,
)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("['PF1','PF2']", ("PF1", "PF2")),
        ('["PF1", "PF2"]', ("PF1", "PF2")),
        ("{'a', 'b'}", ("a", "b")),
        ("frozenset({'a'})", ("a",)),
        ("('a',)", ("a",)),
        ("('a', 'b')", ("a", "b")),
        ("['a' 'b'\n 'c']", ("a", "b", "c")),
        ("array(['a', 'b'], dtype='<U1')", ("a", "b")),
        ("np.array([1, 0])", ("1", "0")),
        ("tensor([0.5, 1.5], device='cuda:0')", ("0.5", "1.5")),
        ("Index(['a', 'b'], dtype='object')", ("a", "b")),
        ("[np.str_('a'), np.float64(0.5)]", ("a", "0.5")),
        (r"['it\'s', \"b\"]".replace('\\"', '"'), ("it's", "b")),
        (r'["caf\u00e9"]', ("café",)),
        ("['a, b', 'c;d']", ("a, b", "c;d")),
        ("['a', None]", ("a", "None")),
        ("[PF1, PF2]", ("PF1", "PF2")),
        ("1,0,1", ("1", "0", "1")),
        ("1 0 1", ("1", "0", "1")),
        ("1;0;1", ("1", "0", "1")),
        ("[1 0 1]", ("1", "0", "1")),
        ("[1. 0. 1.]", ("1.", "0.", "1.")),
        ("[ True False]", ("True", "False")),
        ("0.5,,nan", ("0.5", "", "nan")),
        ("-1e-3 NA", ("-1e-3", "NA")),
    ],
)
def test_lists_have_entries(text: str, entries: tuple[str, ...]) -> None:
    found = label_list(text)
    assert found is not None
    assert (found.entries, found.fault, found.marked) == (entries, "", True)


@pytest.mark.parametrize("text", ["[]", "()", "{}", "set()", " [ ] ", "array([], dtype=float64)"])
def test_empty_lists(text: str) -> None:
    found = label_list(text)
    assert found is not None
    assert (found.entries, found.fault) == ((), "")


@pytest.mark.parametrize(
    "text",
    [
        "nucleus",
        "0.5",
        "a;b",
        "a b",
        "",
        "none",
        "(R)-x",
        "DNA binding (ATP)",
        "2 of 3",
        "-1",
        "3,",
    ],
)
def test_words_and_single_numbers_are_no_lists(text: str) -> None:
    assert label_list(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "[0 0 ... 0]",
        "[0, 0, ..., 0, 0]",
        "0 0 ... 0",
        "[0, 1, 0",
        "['a', 'b'",
        "[0, 0, 0...",
        "array([0, 0, …])",
        "0,1,0...",
    ],
)
def test_lists_that_were_cut_are_named(text: str) -> None:
    assert "was cut when it was written" in list_fault(text)


@pytest.mark.parametrize(
    ("text", "fault"), [("[[1, 0]]", "list of lists"), ("{'a': 1}", "is a mapping")]
)
def test_other_structures_are_no_lists(text: str, fault: str) -> None:
    assert fault in list_fault(text)


@pytest.mark.parametrize("text", ["[2Fe-2S]", "[heme binding]", "(unknown)"])
def test_a_name_in_brackets_may_be_a_name(text: str) -> None:
    found = label_list(text)
    assert found is not None
    assert not found.marked
    assert list_fault(text) == ""


def test_an_ellipsis_inside_a_quoted_name_is_a_part_of_it() -> None:
    assert split_classes("['and so on...']") == ["and so on..."]


@pytest.mark.parametrize("text", ["1,0,1", "[1 0 1]", "[True, False, True]", "1.0 0.0 1.0"])
def test_columns_of_zeros_and_ones(text: str) -> None:
    assert columns_of([text, "0 0 0", "[]"]) == 3


@pytest.mark.parametrize("labels", [["1,0", "1"], ["1,0", "0,1,1"], ["1,2"], ["1"], ["none"]])
def test_other_labels_are_no_columns(labels: list[str]) -> None:
    assert columns_of(labels) == 0


@pytest.mark.parametrize("entry", ["", "nan", "NA", "N/A", "None", "null", "<NA>"])
def test_missing_entries(entry: str) -> None:
    assert is_missing(entry)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (["a", "b"], '["a", "b"]'),
        (("a",), '["a"]'),
        ({"b", "a"}, '["a", "b"]'),
        (set(), "[]"),
        (np.array([0.1, 2.0]), "[0.1, 2.0]"),
        ([np.float64(0.25), np.int64(3)], "[0.25, 3]"),
        (['say "x"', "it's"], '["say \\"x\\"", "it\'s"]'),
        ("a", "a"),
        (1.5, "1.5"),
    ],
)
def test_cells_of_data_frames_become_text(cell: object, text: str) -> None:
    assert list_text(cell) == text


def test_a_long_array_is_written_whole_and_read_back() -> None:
    """As text of numpy it would be cut from 1,000 entries on."""
    values = np.random.default_rng(0).normal(size=3000)
    found = label_list(list_text(values))
    assert found is not None
    assert [float(entry) for entry in found.entries] == values.tolist()


@pytest.mark.parametrize("write", [str, json.dumps, list_text])
def test_names_of_any_kind_come_back(write: Callable[[list[str]], str]) -> None:
    names = ["it's", 'say "x"', "a, b", "back\\slash", "tab\t", "é"]
    found = label_list(write(names))
    assert found is not None
    assert list(found.entries) == names


@pytest.mark.parametrize("text", ["0,5;1", "0,5 1,5", "[1,5; 2]", "1;2,5"])
def test_decimal_commas_in_lists_are_named(text: str) -> None:
    assert "commas for the decimal point" in list_fault(text)


@pytest.mark.parametrize("text", ["a,b;c", "1,2,3", "1, 2", "0.5;1.5"])
def test_other_separators_are_no_decimal_commas(text: str) -> None:
    assert list_fault(text) == ""
