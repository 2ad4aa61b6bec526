"""From ids to sequences: by id, by accession, or not at all."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.errors import InputError
from peftide.sequences.lookup import SequenceLookup, sequence_lookup
from peftide.sequences.records import Proteins
from peftide.sequences.tables import Table, TextArray


def cells(column: TextArray | None) -> list[Any]:
    assert column is not None
    return column.tolist()


def make_table(*rows: list[str]):
    lines = np.arange(2, 2 + len(rows))
    return Table(Path("a.tsv"), (), lines, ids=np.array(rows, dtype=object))


@pytest.fixture
def lookup():
    ids = ("sp|P1|A_HUMAN", "tr|P2|B_HUMAN", "P3", "sp|P4|X", "tr|P4|Y", "sp|P5|X", "tr|P5|Y")
    return SequenceLookup(
        Path("a.fasta"), Proteins(ids, ("MA", "MB", "MC", "MD", "ME", "MF", "MF"))
    )


@pytest.mark.parametrize(
    ("name", "indices"),
    [
        ("sp|P1|A_HUMAN", [0]),
        ("P1", [0]),
        ("sp|P1|OLD_NAME", [0]),
        ("sp|P3|C_HUMAN", [2]),
        ("P4", [3, 4]),
        ("P5", [5]),
        ("P6", []),
    ],
)
def test_candidates(lookup: SequenceLookup, name: str, indices: list[int]):
    assert lookup.candidates(name) == indices


def test_fill_counts_what_came_by_accession(lookup: SequenceLookup):
    problems = []
    table, findings = lookup.fill(
        "test", make_table(["P1", "P3"], ["P3", "P1"]), problems, drop=False
    )
    assert cells(table.sequences) == [["MA", "MC"], ["MC", "MA"]]
    assert problems == []
    (finding,) = findings
    assert (finding.part, finding.kind, finding.count) == ("test", "matched_by_accession", 1)
    assert finding.examples == ("P1 = sp|P1|A_HUMAN",)


def test_ambiguous_accession_is_a_problem(lookup: SequenceLookup):
    problems = []
    lookup.fill("test", make_table(["P3", "P4"]), problems, drop=False)
    assert problems == [
        "a.tsv:2: id P4 could be any of sp|P4|X, tr|P4|Y, which have different sequences"
    ]


def test_absent_ids_are_problems_once_each(lookup: SequenceLookup):
    problems = []
    lookup.fill("test", make_table(["P3", "P8"], ["P9", "P8"]), problems, drop=False)
    assert problems == [
        "a.tsv:2: id P8 has no sequence in a.fasta (2 times in this table)",
        "a.tsv:3: id P9 has no sequence in a.fasta",
    ]


def test_absent_ids_can_be_dropped(lookup: SequenceLookup):
    problems = []
    table = make_table(["P3", "P8"], ["P3", "P3"], ["P8", "P9"])
    filled, findings = lookup.fill("test", table, problems, drop=True)
    assert filled.lines.tolist() == [3]
    assert problems == []
    (finding,) = findings
    assert (finding.kind, finding.count) == ("missing_sequences", 2)
    assert finding.examples == ("a.tsv:2", "a.tsv:4")
    assert "2 of their ids have no sequence" in finding.decision


def test_nothing_left(lookup: SequenceLookup):
    with pytest.raises(InputError, match=r"a\.tsv: no row has a sequence\. a\.fasta has ids such"):
        lookup.fill("test", make_table(["P8", "P9"]), [], drop=True)


def test_sequences_of_a_file_a_mapping_and_a_series_are_the_same(tmp_path: Path):
    (tmp_path / "a.fasta").write_text(">P1\nmk\n>P2\nMKV\n")
    mapping = {"P1": "mk", "P2": "MKV"}
    sources = [tmp_path / "a.fasta", str(tmp_path / "a.fasta"), mapping, pd.Series(mapping)]
    found = [sequence_lookup(source) for source in sources]
    assert {lookup.proteins for lookup in found} == {Proteins(("P1", "P2"), ("MK", "MKV"))}
    assert all(lookup.findings[0].kind == "lower_case_sequences" for lookup in found)
    assert sequence_lookup(found[0]) is found[0]


def test_problems_of_a_mapping_name_the_id():
    series = pd.Series(["MK", "M1", "MV"], index=["P1", "P2", "P1"])
    with pytest.raises(InputError) as caught:
        sequence_lookup(series)
    assert "sequences: row 2: the sequence of P2 has '1'" in str(caught.value)
    assert "sequences: row 3: id P1 has two sequences" in str(caught.value)


@pytest.mark.parametrize("absent", [None, float("nan"), pd.NA, pd.NaT, 7, ""])
def test_what_is_no_text_is_no_sequence(absent: object):
    with pytest.raises(InputError, match="the sequence of P2 is empty"):
        sequence_lookup(pd.Series({"P1": "MKV", "P2": absent}, dtype=object))


def test_a_missing_id_is_no_id():
    with pytest.raises(InputError, match="sequences: row 2: the id is missing"):
        sequence_lookup(pd.Series({"P1": "MKV", None: "MKL"}))
