from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.predictor.predictor import PART
from peftide.serving.requests import Source, checked_rate, read_one, read_rows
from tests.serving.conftest import Serviced

TABLE = "id_a\tid_b\np1\tp2\np2\tp1\n"
FASTA = ">p1\nMKVLAW\n>p2\nMKVLAY\n"
LONG = "M" * 40_000


def test_a_table_and_sequences_are_read(serviced: Serviced, tmp_path: Path) -> None:
    service = serviced("ppi")
    pasted = read_rows(service.predictor, Source(TABLE), Source(FASTA), config=service.config)
    (tmp_path / "t.tsv").write_text(TABLE)
    (tmp_path / "p.fasta").write_text(FASTA)
    dropped = read_rows(
        service.predictor,
        Source("", tmp_path / "t.tsv"),
        Source("", tmp_path / "p.fasta"),
        config=service.config,
    )
    assert pasted.proteins == dropped.proteins
    assert len(pasted.parts[PART]) == 2


def test_fasta_alone_is_read_for_single_sequences(serviced: Serviced) -> None:
    service = serviced("regression")
    found = read_rows(service.predictor, Source(FASTA), Source(), config=service.config)
    assert found.proteins.ids == ("p1", "p2")


def test_one_sequence_is_residues_or_a_record(serviced: Serviced) -> None:
    service = serviced("ppi")
    found = read_one(service.predictor, ["mkv law\n", "\n>x y\nMKV\nLAY\n"], service.config)
    assert found.proteins.sequences == ("MKVLAW", "MKVLAY")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["", "MKV"], "sequence 1 is empty. Paste residues"),
        (["MKV", FASTA], "sequence 2 has 2 records; expected one"),
        (["MK1V", "MKV"], "^sequence 1 has '1'"),
        (["MKV", "P69905"], "^sequence 2 is P69905, which looks like an accession"),
        (["MKV", ">long one\n" + LONG], "^sequence 2 has 40,000 residues"),
        ([LONG, "MKV"], "^sequence 1 has 40,000 residues; expected at most 2,000"),
        (["M" * 6_000_000, "MKV"], "sequence 1 has 6.0 MB; expected at most 5 MB"),
    ],
)
def test_a_wrong_sequence_is_one_answer(serviced: Serviced, texts: list[str], message: str) -> None:
    service = serviced("ppi")
    with pytest.raises(InputError, match=message) as found:
        read_one(service.predictor, texts, service.config)
    assert len(str(found.value)) < 300
    assert "row 1" not in str(found.value)


def test_a_wrong_single_sequence_has_no_number(serviced: Serviced) -> None:
    service = serviced("regression")
    for text, message in ((" ", "^the sequence is empty"), ("MK1", "^the sequence has '1'")):
        with pytest.raises(InputError, match=message):
            read_one(service.predictor, [text], service.config)


@pytest.mark.parametrize("rate", [None, 0.0, 1.0, -1.0, 5.0, float("nan")])
def test_an_error_rate_is_a_share(rate: float | None) -> None:
    assert checked_rate(0.1) == 0.1
    with pytest.raises(InputError, match="the error rate is .*; expected a number above 0"):
        checked_rate(rate)


def test_sequences_without_a_table_of_pairs_are_named(serviced: Serviced) -> None:
    service = serviced("ppi")
    with pytest.raises(InputError, match="no table of pairs"):
        read_rows(service.predictor, Source(), Source(FASTA), config=service.config)


def many(count: int) -> str:
    return "".join(f">p{k}\nMKVL{'ACDEFGHIKL'[k % 10]}\n" for k in range(count))


@pytest.mark.parametrize(
    ("table", "limits", "message"),
    [
        ("  \n", {}, "there is nothing to read. Paste rows"),
        (many(10_000), {}, "there are 10,000 rows; expected at most 1,000"),
        (f">long\n{LONG}\n", {}, "long has 40,000 residues; expected at most 2,000"),
        (many(50), {"upload_mb": 0.0001}, "your table has .* MB; expected at most 0.0001 MB"),
        (">p1\nMK1\n", {}, "^your table:"),
        ("nothing\tknown\n1\t2\n", {}, "^your table: no columns that name.*Rename the columns$"),
        ("Sequence\nMKV\n", {}, r"^your table: .*Sequence"),
    ],
)
def test_a_wrong_table_is_one_answer(
    serviced: Serviced, table: str, limits: dict[str, Any], message: str
) -> None:
    service = serviced("regression", **limits)
    with pytest.raises(InputError, match=message) as found:
        read_rows(service.predictor, Source(table), Source(), config=service.config)
    assert "/tmp" not in str(found.value)
