"""Classes that differ only in their spelling."""

import pytest

from peftide.sequences.near_misses import similar_classes, similar_names


@pytest.mark.parametrize(
    "names",
    [
        ("Nucleus", "nucleus", "NUCLEUS"),
        ("DNA binding", "DNA  binding", "DNA_binding"),
        ("beta-strand", "beta\u2013strand", "beta strand"),
        ("caf\u00e9", "cafe\u0301"),
        ("membrane", "mem\u200bbrane"),
        ("1", "1.0"),
        ("cytoplasm", "\u0441ytoplasm", "\uff43ytoplasm"),
    ],
)
def test_spellings_of_one_name_are_similar(names: tuple[str, ...]) -> None:
    assert similar_names([*names, "cytosol"]) == [names]


@pytest.mark.parametrize(
    "names", [("1", "-1"), ("C1", "C2"), ("IL-2", "IL2"), ("alpha", "alphas"), ("a", "b")]
)
def test_other_names_are_not(names: tuple[str, ...]) -> None:
    assert similar_names(names) == []


def test_names_of_train_are_named_with_their_rows() -> None:
    (finding,) = similar_classes("train", ["Nucleus", "nucleus", "nucleus", "x"], ["Nucleus", "x"])
    assert (finding.kind, finding.count) == ("similar_classes", 2)
    assert "'Nucleus' (1) / 'nucleus' (2)" in finding.decision


def test_later_parts_name_only_classes_that_train_lacks() -> None:
    known = ["Nucleus", "nucleus"]
    assert similar_classes("test", ["Nucleus", "nucleus"], known) == ()
    (finding,) = similar_classes("test", ["NUCLEUS"], known)
    assert "'NUCLEUS' (1)" in finding.decision


def test_letters_that_look_alike_are_named() -> None:
    (finding,) = similar_classes("train", ["no", "n\u043e"], [])
    assert "with CYRILLIC SMALL LETTER O; 1)" in finding.decision


def test_classes_that_a_spreadsheet_made_dates_of_are_counted() -> None:
    (found,) = similar_classes("train", ["1-Mar", "BRCA1", "2-Sep", "2-Sep"], ())
    assert (found.kind, found.count) == ("classes_like_dates", 3)
    assert "'1-Mar', '2-Sep'" in found.decision
