"""A UniProt id is known by its accession, and nothing else is changed."""

import pytest

from peftide.sequences.accessions import accession


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("sp|P69905|HBA_HUMAN", "P69905"),
        ("tr|A0A024R161|A0A024R161_HUMAN", "A0A024R161"),
        ("P69905", "P69905"),
        ("sp|P69905", "sp|P69905"),
        ("1abc|A|x", "1abc|A|x"),
        ("tr||x", "tr||x"),
    ],
)
def test_the_accession_of_a_uniprot_id(name: str, known: str) -> None:
    assert accession(name) == known
