"""BioGRID's TAB3."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from peftide.config import DataConfig
from peftide.databases.biogrid import read_biogrid
from peftide.errors import InputError

COLUMNS = [
    "#BioGRID Interaction ID",
    "Experimental System",
    "Experimental System Type",
    "Organism ID Interactor A",
    "Organism ID Interactor B",
    "SWISS-PROT Accessions Interactor A",
    "TREMBL Accessions Interactor A",
    "SWISS-PROT Accessions Interactor B",
    "TREMBL Accessions Interactor B",
]
ROWS = [
    ["1", "Two-hybrid", "physical", "9606", "9606", "P1", "-", "P2|P9", "-"],
    ["2", "Synthetic Lethality", "genetic", "9606", "9606", "P1", "-", "P3", "-"],
    ["3", "Two-hybrid", "physical", "9606", "10090", "P1", "-", "-", "A0A1|A0A2"],
    ["4", "Two-hybrid", "physical", "9606", "9606", "P1", "-", "-", "-"],
]


def read(rows: list[list[str]], **options: Any) -> tuple[list[tuple[str, str]], dict[str, int]]:
    path = Path("all.tab3.txt")
    path.write_text("".join("\t".join(row) + "\n" for row in rows))
    counts: Counter[str] = Counter()
    config = DataConfig(source="biogrid", input=(path,), out=Path("out"), **options)
    found = [(each.id_a, each.id_b) for each in read_biogrid(path, config, counts)]
    return found, dict(counts)


def test_physical_interactions_are_read_by_accession() -> None:
    found, counts = read([COLUMNS, *ROWS])
    assert found == [("P1", "P2"), ("P1", "A0A1")]
    assert counts == {"not physical": 1, "without an accession of UniProt": 1}


def test_genetic_ones_on_request_and_one_organism() -> None:
    found, counts = read([COLUMNS, *ROWS], evidence="all", taxon=9606)
    assert found == [("P1", "P2"), ("P1", "P3")]
    assert counts == {"another organism": 1, "without an accession of UniProt": 1}


def test_another_form_is_refused() -> None:
    with pytest.raises(InputError, match=r"\.tab3\.txt"):
        read([COLUMNS[:5], *ROWS])
    with pytest.raises(InputError, match=r"all\.tab3\.txt:3: 4 columns; expected 9"):
        read([COLUMNS, ROWS[0], ROWS[1][:4]])
