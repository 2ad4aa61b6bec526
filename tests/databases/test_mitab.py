"""PSI-MITAB as IntAct and BioGRID write it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from peftide.config import DataConfig
from peftide.databases.mitab import read_mitab
from peftide.databases.pairs import PairRecord
from peftide.errors import InputError

PHYSICAL = 'psi-mi:"MI:0915"(physical association)'


def line(a: str = "uniprotkb:P1", b: str = "uniprotkb:P2", **cells: str) -> str:
    """Return one line of MITAB 2.7."""
    row = ["-"] * 42
    row[0], row[1], row[11], row[14] = a, b, PHYSICAL, "intact-miscore:0.56"
    row[9] = row[10] = "taxid:9606(human)|taxid:9606(Homo sapiens)"
    for name, text in cells.items():
        row[{"kind": 11, "scores": 14, "expansion": 15, "negative": 35, "taxon_b": 10}[name]] = text
    return "\t".join(row)


def read(*lines: str, **options: Any) -> tuple[list[PairRecord], dict[str, int]]:
    path = Path("intact.txt")
    path.write_text("#ID(s) interactor A\tID(s) interactor B\n" + "\n".join(lines) + "\n")
    counts: Counter[str] = Counter()
    config = DataConfig(source="mitab", input=(path,), out=Path("out"), **options)
    return list(read_mitab(path, config, counts)), dict(counts)


def test_ids_score_and_negatives_are_read() -> None:
    found, counts = read(line(), line(b="uniprotkb:P3", negative="true", scores="-"))
    assert found == [PairRecord("P1", "P2", 0.56), PairRecord("P1", "P3", None, interacts=False)]
    assert counts == {}


def test_the_first_accession_of_several_counts() -> None:
    many = "intact:EBI-77613|uniprotkb:P10-2|uniprotkb:P11"
    found, _ = read(line(a=many))
    assert found[0].id_a == "P10"
    found, _ = read(line(a=many), isoforms="keep")
    assert found[0].id_a == "P10-2"


def test_what_is_no_binary_physical_interaction_is_left_out() -> None:
    lines = [
        line(kind='psi-mi:"MI:0403"(colocalization)'),
        line(expansion='psi-mi:"MI:1060"(spoke expansion)'),
        line(b='chebi:"CHEBI:15422"(ATP|5)'),
        line(taxon_b="taxid:10090(mouse)"),
    ]
    found, counts = read(*lines, taxon=9606)
    assert found == []
    assert counts == {
        "colocalization": 1,
        "a complex, expanded into pairs": 1,
        "without an accession of UniProt": 1,
        "another organism": 1,
    }
    assert len(read(*lines[:2], evidence="all")[0]) == 2
    both = f'psi-mi:"MI:0403"(colocalization)|{PHYSICAL}'
    assert len(read(line(kind=both))[0]) == 1


def test_a_least_score_leaves_out_lines_without_one() -> None:
    found, counts = read(line(), line(scores="author score:A"), line(scores="x|intact-miscore:0.2"))
    assert len(found) == 3
    found, counts = read(line(), line(scores="-"), line(scores="intact-miscore:0.2"), min_score=0.5)
    assert len(found) == 1
    assert counts == {"score below 0.5, or none": 2}


def test_biogrid_names_accessions_among_other_ids() -> None:
    row = line(a="entrez gene/locuslink:856255").split("\t")
    row[2] = "biogrid:36724|entrez gene/locuslink:ARO80|uniprot/swiss-prot:P32790"
    assert read("\t".join(row[:15]))[0] == [PairRecord("P32790", "P2", 0.56)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("uniprotkb:P1\tuniprotkb:P2", r"intact\.txt:2: 2 columns; expected PSI-MITAB"),
        (line(scores="intact-miscore:high"), r"intact\.txt:2: received.*expected a number"),
    ],
)
def test_another_form_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(text)
