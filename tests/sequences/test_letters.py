"""What a sequence may hold, and what is said about the rest."""

from pathlib import Path

import pytest

from peftide.sequences.letters import SequenceCleaner


@pytest.fixture
def cleaner():
    return SequenceCleaner(Path("a.fasta"))


def test_clean_sequence_passes_without_findings(cleaner: SequenceCleaner):
    assert cleaner.clean("MKVBZXUOJ", 2, name="P1") == "MKVBZXUOJ"
    assert cleaner.findings() == ()
    assert cleaner.problems == []


def test_line_breaks_are_no_blanks(cleaner: SequenceCleaner):
    assert cleaner.clean("\nMKV \n\n LL\n", 7, name="P1") == "MKVLL"
    assert cleaner.findings() == ()


def test_white_space_case_and_stop(cleaner: SequenceCleaner):
    assert cleaner.clean("\nmk v\n LL\t*\n", 7, name="P1") == "MKVLL"
    counted = {finding.kind: (finding.count, finding.examples) for finding in cleaner.findings()}
    assert counted == {
        "lower_case_sequences": (1, ("a.fasta:7",)),
        "blanks_in_sequences": (1, ("a.fasta:7",)),
        "trailing_stops": (1, ("a.fasta:7",)),
    }


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("\nMKV\nM-K\n", 4, "'-' at position 5: this looks like an alignment: remove the gaps"),
        ("MK.V", 2, "'.' at position 3: this looks like an alignment"),
        ("MK*V*", 2, "'*' at position 3: a stop inside the protein"),
        ("MK*V1", 2, "'*' at position 3, '1' at position 5: '*' is a stop inside the protein"),
        ("\nMKV\n\n10 MKV", 5, "'1' at position 4, '0' at position 5: remove the numbers"),
        ("MKV>P", 2, "'>' at position 4: a line break is missing before the '>'"),
        ("MK?V", 2, "'?' at position 3: only letters are residues; write an unknown one as X"),
        (
            "MKß",
            2,
            "'ß' (LATIN SMALL LETTER SHARP S) at position 3: residues are letters",
        ),
        (
            "M\u041aV",
            2,
            "'\u041a' (CYRILLIC CAPITAL LETTER KA) at position 2: residues",
        ),
        ("\uff2dKV", 2, "'\uff2d' (FULLWIDTH LATIN CAPITAL LETTER M)"),
        ("M1234567", 2, "'1' at position 2, '2' at position 3, "),
        ("M1234567", 2, ", '5' at position 6, …: remove the numbers"),
    ],
)
def test_other_characters_are_problems_at_their_line(
    cleaner: SequenceCleaner, text: str, line: int, said: str
):
    assert cleaner.clean(text, 2, name="P1") == ""
    assert cleaner.problems[0].startswith(f"a.fasta:{line}: the sequence of P1 has ")
    assert said in cleaner.problems[0]


@pytest.mark.parametrize("text", ["", " \n", "*", "\n*\n"])
def test_empty(cleaner: SequenceCleaner, text: str):
    assert cleaner.clean(text, 3, name="P1") == ""
    assert cleaner.problems == [
        "a.fasta:3: the sequence of P1 is empty: add it, or delete the record"
    ]


def test_nucleotides_are_kept_and_pointed_out(cleaner: SequenceCleaner):
    dna = "ACGT" * 10
    assert cleaner.clean(dna, 2, name="gene") == dna
    cleaner.clean("ACGT" * 4, 4, name="short peptide")
    cleaner.clean(dna + "M", 6, name="protein")
    (finding,) = cleaner.findings()
    assert (finding.kind, finding.count) == ("nucleotide_like_sequences", 1)


@pytest.mark.parametrize(
    "text", ["MetLysValLeu", "MET LYS VAL LEU", "Met-Lys-Val-Leu", "metlysvalleu"]
)
def test_three_letter_codes_are_named(cleaner: SequenceCleaner, text: str):
    assert cleaner.clean(text, 3, name="P1") == ""
    assert "a.fasta:3: the sequence of P1 is written in three-letter codes" in cleaner.problems[0]


@pytest.mark.parametrize("text", ["P69905", " Q8IXT5-2\n", "A0A024R1R8", "p69905"])
def test_accessions_are_named(cleaner: SequenceCleaner, text: str):
    assert cleaner.clean(text, 3, name="P1") == ""
    assert f"is {text.strip()}, which looks like an accession" in cleaner.problems[0]


def test_a_short_peptide_may_look_like_three_letter_codes(cleaner: SequenceCleaner):
    assert cleaner.clean("GLYALAVAL", 3, name="P1") == "GLYALAVAL"


def test_a_sequence_as_long_as_a_cell_was_cut(cleaner: SequenceCleaner):
    assert cleaner.clean("M" * 32_767, 3, name="P1") == ""
    assert "exactly 32,767 characters: a spreadsheet program" in cleaner.problems[0]
    assert cleaner.clean("M" * 32_768, 3, name="P1")
