"""Tables of mutants as engineers have them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.config import TableOptions
from peftide.errors import InputError
from peftide.sequences import Table, read_dataset, read_table
from tests.conftest import AMINO_ACIDS

WILD_TYPE = "MKVLAWGHKL"


def read(path: Path, text: str, *, labels: bool = True, **options: Any) -> Table:
    path.write_text(text, encoding="utf-8")
    return read_table(path, TableOptions(**options), needs_labels=labels)


def kinds(table: Table) -> dict[str, int]:
    return {finding.kind: finding.count for finding in table.findings}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan.tsv"


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    file = tmp_path / "wt.fasta"
    file.write_text(f">wt\n{WILD_TYPE}\n", encoding="utf-8")
    return file


def test_mutants_become_sequences(path: Path, fasta: Path) -> None:
    table = read(
        path, "mutant\tlabel\tsplit\nK2R\t0.5\ttrain\nH8A\t1\ttest\n", wild_type=str(fasta)
    )
    assert table.ids is not None
    assert table.sequences is not None
    assert table.ids[:, 0].tolist() == ["K2R", "H8A"]
    assert table.sequences[:, 0].tolist() == ["MRVLAWGHKL", "MKVLAWGAKL"]
    assert table.variants_of is not None
    assert table.variants_of.sequence == WILD_TYPE


def test_a_proteingym_file_brings_its_wild_type(path: Path) -> None:
    text = (
        "mutant,mutated_sequence,DMS_score,DMS_score_bin\n"
        "K2R,MRVLAWGHKL,0.5,1\nK2A:H8A,MAVLAWGAKL,-0.5,0\n"
    )
    table = read(path, text)
    assert table.variants_of is not None
    assert table.variants_of.sequence == WILD_TYPE
    assert table.labels is not None
    assert table.labels.tolist() == ["0.5", "-0.5"]
    yes_no = read(path, text, label_column="DMS_score_bin")
    assert yes_no.labels is not None
    assert yes_no.labels.tolist() == ["1", "0"]


def test_a_sequence_that_disagrees_with_its_mutant_is_refused(path: Path) -> None:
    text = "mutant,mutated_sequence,DMS_score\nK2R,MRVLAWGHKL,0.5\nK2A,MGVLAWGHKL,-0.5\n"
    said = r"scan.tsv:3, column mutated_sequence: the sequence is another than the mutant K2A has"
    with pytest.raises(InputError, match=said):
        read(path, text)


def test_a_mavedb_export_is_read_as_it_is(path: Path) -> None:
    text = (
        "# Accession: urn:mavedb:00000001-a-1\n# Licence: CC0\n"
        "accession,hgvs_nt,hgvs_splice,hgvs_pro,score\n"
        "a#1,NA,NA,p.Met1Leu,0.1\na#2,NA,NA,p.Met1=,1.0\na#3,NA,NA,p.Lys2Ter,-1\n"
        "a#4,NA,NA,p.Lys2Arg,NA\na#5,NA,NA,p.Val3Ala,0.5\na#6,NA,NA,p.Val3Ala,0.7\n"
    )
    table = read(path, text, wild_type=WILD_TYPE)
    assert table.labels is not None
    assert table.labels.tolist() == ["0.1", "1.0", "0.6"]
    assert table.lines.tolist() == [4, 5, 8]
    assert kinds(table) == {
        "stop_variants": 1,
        "synonymous_rows": 1,
        "missing_scores": 1,
        "replicate_measurements": 1,
    }


def test_replicates_in_two_parts_are_not_averaged(path: Path) -> None:
    text = "mutant\tlabel\tsplit\nK2R\t0.5\ttrain\nK2R\t0.7\ttest\nH8A\t1.5\ttest\n"
    assert len(read(path, text, wild_type=WILD_TYPE)) == 3


def test_yes_and_no_are_not_averaged(path: Path) -> None:
    text = "mutant\tlabel\nK2R\t1\nK2R\t0\nH8A\t1\n"
    assert len(read(path, text, wild_type=WILD_TYPE)) == 3


def test_whole_sequences_are_variants_too(path: Path) -> None:
    table = read(path, "sequence\tlabel\nMRVLAWGHKL\t1\n", wild_type=WILD_TYPE)
    assert table.ids is not None
    assert table.ids[0, 0] == "K2R"
    with pytest.raises(InputError, match=r"scan.tsv:2, column sequence: a sequence of 9 residues"):
        read(path, "sequence\tlabel\nMRVLAWGHK\t1\n", wild_type=WILD_TYPE)


def test_lists_hold_mutants_or_sequences() -> None:
    options = TableOptions(wild_type=WILD_TYPE)
    mutants = read_table(["K2R", "WT"], options, level="sequence", needs_labels=False)
    whole = read_table(["MRVLAWGHKL", WILD_TYPE], options, level="sequence", needs_labels=False)
    assert mutants.sequences is not None
    assert whole.sequences is not None
    assert mutants.sequences.tolist() == whole.sequences.tolist()


def test_a_frame_of_mutants() -> None:
    frame = pd.DataFrame({"mutant": ["K2R"], "label": [0.5]})
    assert len(read_table(frame, TableOptions(wild_type=WILD_TYPE), needs_labels=True)) == 1


def test_a_wild_type_is_a_file_an_id_or_letters(path: Path, fasta: Path) -> None:
    text = "mutant\tlabel\nK2R\t0.5\n"
    both: list[dict[str, Any]] = [{"wild_type": "wt", "sequences": fasta}, {"wild_type": WILD_TYPE}]
    for options in both:
        assert read(path, text, **options).variants_of is not None
    long = read(path, text, wild_type=100 * WILD_TYPE)  # longer than a path may be
    assert long.variants_of is not None
    assert long.variants_of.sequence == 100 * WILD_TYPE
    with pytest.raises(InputError, match=r"has no sequence 'wd'. Known: wt"):
        read(path, text, wild_type="wd", sequences=fasta)
    with pytest.raises(InputError, match="--sequences: received .* Leave this option out"):
        read(path, text, wild_type=WILD_TYPE, sequences=fasta)
    with pytest.raises(InputError, match="expected a FASTA file, the id"):
        read(path, text, wild_type="absent.fasta")
    fasta.write_text(">a\nMKV\n>b\nMKL\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"has 2 sequences; expected one .*--wild-type a"):
        read(path, text, wild_type=str(fasta))


def test_a_missing_wild_type_is_asked_for(path: Path) -> None:
    with pytest.raises(InputError, match="wild type is missing. Give it with --wild-type"):
        read(path, "mutant\tlabel\nK2R\t0.5\n")


def test_a_mismatch_names_row_and_column(path: Path) -> None:
    said = r"scan.tsv:3, column mutant: K3R: the wild type has V at site 3, not K"
    with pytest.raises(InputError, match=said):
        read(path, "mutant\tlabel\nK2R\t0.5\nK3R\t0.5\n", wild_type=WILD_TYPE)


def test_labels_on_two_scales_are_counted(path: Path) -> None:
    letters = "ACDEFGHIKL"
    rows = [f"M1{a}\t{10 ** (2 + n / 4):.1f}" for n, a in enumerate(letters)]
    rows += [f"K2{a}\t{2 + n / 4}" for n, a in enumerate(letters)]
    table = read(path, "mutant\tlabel\n" + "\n".join(rows) + "\n", wild_type=WILD_TYPE)
    assert kinds(table).keys() == {"mixed_scales", "synonymous_rows"}
    one = read(path, "mutant\tlabel\n" + "\n".join(rows[:10]) + "\n", wild_type=WILD_TYPE)
    assert "mixed_scales" not in kinds(one)


def test_a_few_labels_on_another_scale_are_counted(path: Path) -> None:
    """Brightness in counts, of which 3 % were written as logarithms to base 10."""
    logs = np.random.default_rng(0).normal(3.5, 0.5, size=171)
    named = [(site, letter) for site in range(10) for letter in AMINO_ACIDS]
    names = [f"{WILD_TYPE[k]}{k + 1}{new}" for k, new in named if new != WILD_TYPE[k]][:171]

    def found(values: np.ndarray) -> dict[str, int]:
        rows = [f"{name}\t{value}" for name, value in zip(names, values.tolist(), strict=True)]
        text = "mutant\tlabel\n" + "\n".join(rows) + "\n"
        return kinds(read(path, text, wild_type=WILD_TYPE))

    assert found(np.where(np.arange(171) % 33 == 0, logs, 10**logs)) == {"mixed_scales": 6}
    assert found(10**logs) == found(logs) == {}


def test_the_parts_of_a_data_set_have_one_wild_type(path: Path) -> None:
    text = "mutant\tlabel\nK2R\t0.5\n"
    first = read(path, text, wild_type=WILD_TYPE)
    second = read(path, text, wild_type=WILD_TYPE[:-1] + "Y")
    with pytest.raises(InputError, match="different wild types"):
        read_dataset({"train": first, "test": second}, TableOptions(), level="sequence")


@pytest.mark.parametrize("options", [{}, {"offset": 100}])
def test_the_offset_is_known_from_the_whole_sequences(path: Path, options: dict[str, Any]) -> None:
    text = "mutant,mutated_sequence,DMS_score\nK102R,MRVLAWGHKL,0.5\nK102A:H108A,MAVLAWGAKL,-0.5\n"
    table = read(path, text, **options)
    assert table.variants_of is not None
    assert (table.variants_of.sequence, table.variants_of.offset) == (WILD_TYPE, 100)


def test_whole_sequences_settle_an_offset_that_residues_leave_open(path: Path) -> None:
    rows = [f"K102{new},M{new}VLAWGHKL,{k}.5\n" for k, new in enumerate("RAW")]
    table = read(path, "mutant,mutated_sequence,DMS_score\n" + "".join(rows))
    assert table.variants_of is not None
    assert table.variants_of.offset == 100


def test_one_wrong_sequence_of_a_renumbered_file_is_named(path: Path) -> None:
    rows = [f"K102{new},M{new}VLAWGHKL,{k}.5\n" for k, new in enumerate("RAW")]
    text = "mutant,mutated_sequence,DMS_score\n" + "".join(rows) + "V103A,MKDLAWGHKL,1\n"
    with pytest.raises(InputError, match=r":5, column mutated_sequence: .*V103A"):
        read(path, text)


def test_a_letter_that_is_no_amino_acid_is_no_wild_type(path: Path, fasta: Path) -> None:
    text = "sequence,label\nMRVLAWGHKL,1\nMKVLAXGHKL,2\n"
    with pytest.raises(InputError, match=r":3, column sequence.*'X' at residue 6"):
        read(path, text, wild_type=str(fasta))


def test_unknown_effects_and_a_kept_stop_are_counted(path: Path, fasta: Path) -> None:
    text = "hgvs_pro,score\np.Lys2Arg,1\np.Met1?,2\np.Ter11=,3\np.Ter11Gln,4\n"
    found = kinds(read(path, text, wild_type=str(fasta)))
    assert found == {"unknown_effects": 1, "synonymous_rows": 1, "insertion_variants": 1}
