"""Tables with sequences and a FASTA file beside them."""

from pathlib import Path

import pytest

from peftide.config.options import TableOptions
from peftide.errors import InputError
from peftide.sequences.beside import compare_sequences
from peftide.sequences.dataset import read_dataset
from peftide.sequences.lookup import sequence_lookup
from peftide.sequences.tables import Table, read_table
from peftide.types import Level

KNOWN = {"P1": "MKV", "P2": "MKL", "sp|P69905|HBA_HUMAN": "MVL"}


def table(tmp_path: Path, text: str, level: Level = "sequence") -> Table:
    path = tmp_path / "a.tsv"
    path.write_text(text.replace(" ", "\t"))
    return read_table(path, TableOptions(), level=level, needs_labels=False)


def compare(read: Table) -> tuple[list[str], list[str]]:
    problems: list[str] = []
    findings = compare_sequences([read], sequence_lookup(KNOWN), problems)
    return problems, [str(found) for found in findings]


def test_agreement_is_counted(tmp_path: Path):
    problems, found = compare(table(tmp_path, "id sequence\nP1 MKV\nP9 MWW\nP69905 mvl\n"))
    assert not problems
    assert "3 own sequences" in found[0]
    assert "2 of the table's ids" in found[0]


def test_an_id_with_another_sequence_is_named_once(tmp_path: Path):
    text = "id_a sequence_a id_b sequence_b\nP1 MKV P2 MKL\nP1 MKV P2 MWW\nP2 MWW P1 MKV\n"
    problems, _ = compare(table(tmp_path, text, "pair"))
    assert len(problems) == 1
    assert "a.tsv:3: id P2" in problems[0]


def test_tables_without_sequences_or_ids(tmp_path: Path):
    assert compare(table(tmp_path, "id\nP1\n")) == ([], [])
    problems, found = compare(table(tmp_path, "sequence\nMWW\n"))
    assert not problems
    assert "0 of the table's ids" in found[0]


def test_ids_that_are_reused_in_the_table_are_compared_too(tmp_path: Path):
    read = table(tmp_path, "id sequence\nP1 MKV\nP1 MWW\n")
    with pytest.raises(InputError, match=r"a\.tsv:3: id P1 .*--sequences"):
        read_dataset({"input": read}, TableOptions(), level="sequence", sequences=KNOWN)
