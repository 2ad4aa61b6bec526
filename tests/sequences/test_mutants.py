"""What the name of a mutant says, in the notations that people use."""

import pytest

from peftide.errors import InputError
from peftide.sequences.mutants import parse_mutant


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A24G", "A24G"),
        (" a24g ", "A24G"),
        ("T30S:A24G", "A24G T30S"),
        ("A24G,T30S", "A24G T30S"),
        ("A24G; T30S", "A24G T30S"),
        ("A24G/T30S", "A24G T30S"),
        ("A24G+T30S", "A24G T30S"),
        ("A24G|T30S", "A24G T30S"),
        ("A24G_T30S", "A24G T30S"),
        ("A24G T30S", "A24G T30S"),
        ("p.Ala24Gly", "A24G"),
        ("p.(Ala24Gly)", "A24G"),
        ("p.[Ala24Gly;Thr30Ser]", "A24G T30S"),
        ("p.[(Ala24Gly);(Thr30Ser)]", "A24G T30S"),
        ("NP_000537.3:p.Ala24Gly", "A24G"),
        ("p.Ala24Gly;p.Thr30Ser", "A24G T30S"),
        ("ALA24GLY", "A24G"),
        ("M-2V", "M-2V"),
    ],
)
def test_substitutions(text: str, named: str) -> None:
    found = parse_mutant(text)
    assert found.kind == "substitutions"
    assert " ".join(map(str, found.substitutions)) == named


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("WT", "wild_type"),
        ("_wt", "wild_type"),
        ("wild-type", "wild_type"),
        ("Wild type", "wild_type"),
        ("p.=", "synonymous"),
        ("p.(=)", "synonymous"),
        ("=", "synonymous"),
        ("_sy", "synonymous"),
        ("A24A", "synonymous"),
        ("A24=", "synonymous"),
        ("p.Ala24=", "synonymous"),
        ("A24*", "stop"),
        ("p.Ala24Ter", "stop"),
        ("p.Ala24*", "stop"),
        ("A24G:T30*", "stop"),
        ("A24del", "deletion"),
        ("A24-", "deletion"),
        ("p.Ala24_Thr30del", "deletion"),
        ("p.Lys2_Gly3insGlnSer", "insertion"),
        ("p.Lys2_Gly3delinsTrp", "insertion"),
        ("p.Lys2dup", "insertion"),
        ("p.Arg97fs", "fs"),
        ("p.Arg97ProfsTer23", "fs"),
    ],
)
def test_other_kinds_have_no_substitutions(text: str, kind: str) -> None:
    found = parse_mutant(text)
    assert (found.kind, found.substitutions) == (kind, ())


def test_an_unchanged_residue_beside_a_changed_one_is_kept_apart() -> None:
    found = parse_mutant("A24G:T30=")
    assert [str(each) for each in found.substitutions] == ["A24G"]
    assert [str(each) for each in found.unchanged] == ["T30T"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A24", "cannot be read"),
        ("24G", "cannot be read"),
        ("\u039124G", "with GREEK CAPITAL LETTER ALPHA"),
        (f"A{'9' * 5000}G", "cannot be read"),
        ("hello", "cannot be read"),
        (":", "cannot be read"),
        ("c.76A>T", "cannot be read"),
        ("B24G", "'B', which is no amino acid"),
        ("A24X", "a stop is written"),
        ("Xyz24Gly", "'Xyz', which is no amino acid"),
        ("A24G:A24T", "names residue 24 more than once"),
    ],
)
def test_what_cannot_be_read_is_an_error(text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        parse_mutant(text)
