"""Reading FASTA: ids, counted repairs, and every problem with its line."""

import gzip
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.sequences.fasta import parse_fasta, read_fasta, read_fasta_records, stream_fasta

DATA = Path(os.environ.get("PEFTIDE_DATA", ""))
needs_data = pytest.mark.skipif("PEFTIDE_DATA" not in os.environ, reason="PEFTIDE_DATA is not set")


@pytest.fixture
def fasta(tmp_path: Path):
    def write(text: str):
        path = tmp_path / "a.fasta"
        path.write_text(text)
        return path

    return write


def test_ids_are_the_first_words_and_lines_are_joined(fasta: Callable[[str], Path]):
    proteins, findings = read_fasta(
        fasta("\n>sp|P12345|AATM_RABIT Aspartate\nMKV\nLLA\n\n>b\nMM\n> c x\nW")
    )
    assert proteins.ids == ("sp|P12345|AATM_RABIT", "b", "c")
    assert proteins.sequences == ("MKVLLA", "MM", "W")
    assert findings == ()


def test_lines_of_headers(fasta: Callable[[str], Path]):
    records = read_fasta_records(fasta("\n>a\nMKV\nLLA\n\n>b\nMM\n"))
    assert records.lines.tolist() == [2, 6]


def test_compressed(tmp_path: Path):
    path = tmp_path / "a.fa.gz"
    path.write_bytes(gzip.compress(b">a\r\nMK\r\n"))
    assert read_fasta(path)[0].sequences == ("MK",)


def test_repairs_and_repeats_are_counted(fasta: Callable[[str], Path]):
    proteins, findings = read_fasta(fasta(">a\nmkv*\n>b\nMKV\n>a\nMKV\n>a\nmkv\n"))
    assert proteins.ids == ("a", "b")
    counted = {finding.kind: finding.count for finding in findings}
    assert counted == {"lower_case_sequences": 2, "trailing_stops": 1, "repeated_ids": 2}
    assert {finding.part for finding in findings} == {"sequences"}


def test_problems_are_raised_together(fasta: Callable[[str], Path]):
    path = fasta(">a\nMKV\n>b\nMK\nM-V\n>c\n\n>\nMKV\n>a\nMKL\n")
    with pytest.raises(InputError) as caught:
        read_fasta(path)
    assert str(caught.value).split("\n  ") == [
        "4 problems in the input:",
        f"{path}:5: the sequence of b has '-' at position 4: "
        "this looks like an alignment: remove the gaps",
        f"{path}:6: the sequence of c is empty: add it, or delete the record",
        f"{path}:8: a '>' without an id behind it",
        f"{path}:10: id a has a different sequence here than in line 1",
    ]


@pytest.mark.parametrize("text", ["NA", "nan", "None", "-", "."])
def test_a_record_that_is_a_missing_value(fasta: Callable[[str], Path], text: str):
    path = fasta(f">a\nMKV\n>b\n{text}\n>NA\nNAK\n")
    for read in (read_fasta, streamed):
        with pytest.raises(InputError, match=r"a\.fasta:3: the sequence of b is .*missing value"):
            read(path)
    assert read_fasta(fasta(">NA\nNA*\n"))[0].ids == ("NA",)


def test_text_before_the_first_header(fasta: Callable[[str], Path]):
    with pytest.raises(InputError, match=r"a\.fasta:2: found 'MKV' before the first '>'"):
        read_fasta(fasta("\nMKV\n>a\nMK\n"))


def test_a_table_is_no_fasta(fasta: Callable[[str], Path]):
    with pytest.raises(InputError, match=r"a\.fasta:1: 'id_a\\tid_b' is not FASTA.*'>P12345'"):
        read_fasta(fasta("id_a\tid_b\nP1\tP2\n"))


def streamed(path: Path) -> tuple[list[tuple[str, str]], list[str]]:
    records, kinds = [], []

    def run() -> Iterator[tuple[str, str]]:
        findings = yield from stream_fasta(path)
        kinds.extend(finding.kind for finding in findings)

    records.extend(run())
    return records, kinds


@pytest.mark.parametrize(
    "text",
    [
        "\n>sp|P12345|AATM_RABIT Aspartate\nMKV\nLLA\n\n>b\nMM\n> c x\nW",
        ">a\r\nmkv\r\nLL*\r\n>b\r\nmm\r\n",
    ],
)
def test_a_stream_has_the_records_that_reading_at_once_has(fasta: Callable[[str], Path], text: str):
    path = fasta(text)
    records, kinds = streamed(path)
    proteins, findings = read_fasta(path)
    assert records == list(zip(proteins.ids, proteins.sequences, strict=True))
    assert kinds == [finding.kind for finding in findings]


@pytest.mark.parametrize(
    "text", [">a\nMKV\n>b\nMK\nM1V\n", "\nMKV\n", ">a\n\n>b\nM\n", ">a\nM\n>\nM\n", "\n"]
)
def test_a_stream_says_what_is_wrong_as_reading_at_once_does(
    fasta: Callable[[str], Path], text: str
):
    path = fasta(text)
    with pytest.raises(InputError) as at_once:
        read_fasta(path)
    with pytest.raises(InputError) as in_stream:
        streamed(path)
    assert at_once.value.where == in_stream.value.where
    assert str(at_once.value).split(";")[0] == str(in_stream.value).split(";")[0]


def test_a_stream_gives_what_stands_before_a_problem(fasta: Callable[[str], Path]):
    stream = stream_fasta(fasta(">a\nMKV\n>b\nM1\n>c\nM\n"))
    assert next(stream) == ("a", "MKV")
    with pytest.raises(InputError, match=r"a\.fasta:4"):
        next(stream)


def test_a_stream_lets_an_id_occur_again(fasta: Callable[[str], Path]):
    assert streamed(fasta(">a\nMKV\n>a\nMM\n"))[0] == [("a", "MKV"), ("a", "MM")]


@needs_data
def test_human_proteins():
    proteins, findings = read_fasta(DATA / "ppi_gold/sequences.fasta")
    assert len(proteins) == 11_019
    assert max(map(len, proteins.sequences)) == 34_350
    assert findings == ()


@needs_data
def test_corpus_part():
    proteins, findings = read_fasta(DATA / "corpus/corpus_part02.fa.xz")
    assert len(proteins) == 146_367
    assert findings == ()


def test_records_with_a_line_of_labels_are_refused() -> None:
    with pytest.raises(InputError, match="two lines of equal length: the second is no sequence"):
        parse_fasta(Path("a.fasta"), ">a\nMKVLA\nHHHEE\n>b\nMKK\nHHC\n")
    wrapped = parse_fasta(Path("a.fasta"), ">a\nMKVLA\nMKVLA\n>b\nMKKLL\nMKKLL\n>c\nM\n")
    assert wrapped.proteins.sequences == ("MKVLAMKVLA", "MKKLLMKKLL", "M")


def test_the_pir_format_is_named() -> None:
    with pytest.raises(InputError, match="a.pir:1: P1;A is an id of the PIR format"):
        parse_fasta(Path("a.pir"), ">P1;A\ntitle\nMKVLA*\n")
