"""Names of mutants become sequences, checked against the wild type."""

import pytest

from peftide.errors import InputError
from peftide.sequences.mutants import Substitution
from peftide.sequences.variants import changes_between, mutant_name, read_variants

WILD_TYPE = "MKVLAWGH"


def test_variants_are_whole_sequences_with_their_changes() -> None:
    found = read_variants(["K2R", "p.Met1Leu", "H8A:K2R"], WILD_TYPE)
    assert found.sequences == ("MRVLAWGH", "LKVLAWGH", "MRVLAWGA")
    assert found.changes[2] == (Substitution(2, "K", "R"), Substitution(8, "H", "A"))
    assert (found.offset, found.findings) == (0, ())


def test_rows_that_are_no_whole_protein_are_left_out_and_counted() -> None:
    names = ["WT", "K2*", "K2=", "V3del", "K2R", "p.Val3fs", "p.Lys2_Val3insAla", "NA", "A5A"]
    found = read_variants(names, WILD_TYPE, where="t.tsv:{}".format)
    assert found.rows.tolist() == [0, 2, 4, 8]
    assert found.sequences == (WILD_TYPE, WILD_TYPE, "MRVLAWGH", WILD_TYPE)
    assert {finding.kind: finding.count for finding in found.findings} == {
        "stop_variants": 1,
        "deletion_variants": 1,
        "insertion_variants": 1,
        "frameshift_variants": 1,
        "unnamed_variants": 1,
        "wild_type_rows": 1,
        "synonymous_rows": 2,
    }
    assert found.findings[0].examples == ("t.tsv:1 K2*",)


@pytest.mark.parametrize("offset", [-1, 0, 22, 300])
def test_one_offset_is_found_for_the_whole_file(offset: int) -> None:
    names = [f"{letter}{n + offset}Y" for n, letter in enumerate(WILD_TYPE, start=1)]
    found = read_variants(names, WILD_TYPE)
    assert found.offset == offset
    assert [str(changes[0]) for changes in found.changes] == [
        f"{letter}{n}Y" for n, letter in enumerate(WILD_TYPE, start=1)
    ]
    assert [finding.kind for finding in found.findings] == ["renumbered_mutants"] * bool(offset)


def test_several_fitting_offsets_are_refused_until_one_is_named() -> None:
    with pytest.raises(InputError, match=r"with several offsets \(19, 20, 21 …\).*--offset"):
        read_variants(["A23G"], "AAAA")
    assert read_variants(["A23G"], "AAAA", offset=20).sequences == ("AAGA",)


def test_two_offsets_in_one_file_are_named_with_the_row() -> None:
    names = ["K2R", "V3A", "L4A", "A15G", "W16G", "G17A"]
    with pytest.raises(InputError, match=r"two offsets: 3 residues fit the offset 0, and row 3 "):
        read_variants(names, WILD_TYPE)


def test_a_mismatch_names_row_site_and_both_residues() -> None:
    said = r"row 1: A2G: the wild type has K at site 2, not A"
    with pytest.raises(InputError, match=said):
        read_variants(["K2R", "A2G", "V3L"], WILD_TYPE)


def test_a_site_outside_the_protein_is_named() -> None:
    with pytest.raises(InputError, match=r"K90R: site 90 is outside the wild type, which has 8"):
        read_variants(["K2R", "K90R"], WILD_TYPE)


def test_an_unchanged_residue_is_checked_too() -> None:
    with pytest.raises(InputError, match="the wild type has K at site 2"):
        read_variants(["V3L", "G2G"], WILD_TYPE)


def test_all_unreadable_names_are_listed_with_their_rows() -> None:
    with pytest.raises(InputError, match=r"2 problems[\s\S]*row 0: .*'x1'[\s\S]*row 2: .*K2R:K2A"):
        read_variants(["x1", "K2R", "K2R:K2A"], WILD_TYPE)


def test_sequences_are_compared_with_the_wild_type() -> None:
    assert mutant_name(changes_between(WILD_TYPE, "MRVLAWGA")) == "K2R:H8A"
    assert mutant_name(changes_between(WILD_TYPE, WILD_TYPE)) == "WT"
    assert mutant_name([Substitution(1, "M", "L")], offset=22) == "M23L"
    with pytest.raises(InputError, match="7 residues; expected a variant of the wild type"):
        changes_between(WILD_TYPE, WILD_TYPE[1:])


def test_names_that_cannot_be_read_are_listed_with_sites_outside() -> None:
    with pytest.raises(InputError, match="2 problems") as found:
        read_variants(["K2Z", "K20R", "K2*", "K2R"], "MKV", offset=0)
    assert "'Z', which is no amino acid" in str(found.value)
    assert "site 20 is outside the wild type" in str(found.value)
    with pytest.raises(InputError, match="no amino acid"):
        read_variants(["K2Z", "K20R"], "MKV")  # the numbering is unknown


def test_a_wrong_offset_is_answered_with_the_right_one() -> None:
    with pytest.raises(InputError, match="All residues fit the offset 0, not 5"):
        read_variants(["K2R", "V3L", "L4A", "A5G"], WILD_TYPE, offset=5)


def test_advice_about_an_offset_says_how_many_residues_fit() -> None:
    names = [f"{old}{site + 100}W" for site, old in enumerate("MKVLAGHKLA", start=1)]
    with pytest.raises(InputError, match=r"9 of 10 residues fit the offset 100: check the others"):
        read_variants([*names[:-1], "Q110W"], "MKVLAGHKLA", offset=0, fix="Number as before")


def test_a_wild_type_of_nucleotides_is_named() -> None:
    with pytest.raises(InputError, match="looks like DNA"):
        read_variants(["K2R", "V3L"], "ATGAAGGTTCTGGCT")
