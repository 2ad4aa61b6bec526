"""Recipes of public benchmarks, against the tables of the real data sets."""

import hashlib
import re
from pathlib import Path

import pytest

from peftide.databases.benchmarks import BENCHMARKS, FASTA, checked_tables, rows_digest
from peftide.errors import HubError
from tests.databases.published import FILES, FOLDERS, rows_of, sequences_of

PUBLISHED_BYTES = {
    "data/processed/bernett/Intra0_dictionary.tsv": 2_224_690,
    "data/processed/bernett/Intra1_dictionary.tsv": 3_264_694,
    "data/processed/bernett/Intra2_dictionary.tsv": 1_552_485,
    "protein_benchmarks/stability.train.csv": 3_438_868,
    "protein_benchmarks/stability.valid.csv": 173_127,
    "protein_benchmarks/stability.test.csv": 794_974,
}
"""Sizes of the files in the repositories, read there."""


def test_the_digest_is_the_checksum_of_sorted_lines() -> None:
    # printf 'a\tMV\nb\tMK\nb\tMK\n' | sha256sum
    expected = hashlib.sha256(b"a\tMV\nb\tMK\nb\tMK\n").hexdigest()
    rows = [("b", "MK"), ("a", "MV"), ("b", "MK")]
    assert rows_digest(rows) == expected
    assert rows_digest(rows[:2]) != expected


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_recipe_is_complete(name: str) -> None:
    one = BENCHMARKS[name]
    assert re.fullmatch("[0-9a-f]{40}", one.commit)
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in one.digests.values())
    assert {*one.training} & {*one.digests}
    assert one.url("a/b") == (
        f"https://raw.githubusercontent.com/{one.repository}/{one.commit}/a/b"
    )
    assert one.url("b", "http://x/y/") == f"http://x/y/{one.repository}/{one.commit}/b"


@pytest.mark.parametrize("name", BENCHMARKS)
def test_the_tables_are_those_of_the_real_data(name: str, data: Path) -> None:
    texts = {path: content.decode() for path, content in FILES[name](data).items()}
    assert texts.keys() == {*BENCHMARKS[name].paths}
    tables = checked_tables(BENCHMARKS[name], texts)
    assert tables.keys() == BENCHMARKS[name].digests.keys()
    folder = data / FOLDERS[name]
    for file, rows in tables.items():
        if file.endswith(FASTA):
            proteins = dict(sequences_of(folder / file))
            assert {row[0]: row[1] for row in rows}.items() <= proteins.items()
            assert len(rows) == {"ppi_yeast": 4420, "ppi_gold": 11_019}[name]
        else:
            assert rows[1:] == rows_of(folder / file)


def test_the_files_made_again_have_the_size_of_the_published_ones(data: Path) -> None:
    made = {**FILES["ppi_gold"](data), **FILES["stability"](data)}
    assert {path: len(made[path]) for path in PUBLISHED_BYTES} == PUBLISHED_BYTES
    for name in ("ppi_gold", "stability"):
        size = sum(len(made[path]) for path in BENCHMARKS[name].paths)
        assert BENCHMARKS[name].size_bytes == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("valid.csv", "0.43", "0.44", "data.tsv.xz: received rows with the SHA-256 .*; expected"),
        ("valid.csv", "0.43\n", "0.43,1\n", "valid.csv:2: received .*; expected 2 cells"),
        (
            "train.csv",
            "seq,label",
            "seq,log",
            "train.csv:1: received 'seq,log'; expected seq,label",
        ),
    ],
)
def test_other_content_is_refused(path: str, old: str, new: str, said: str) -> None:
    row = "DQSVRKLVRKL,0.43\n"
    texts = dict.fromkeys(BENCHMARKS["stability"].paths, f"seq,label\n{row}")
    path = f"protein_benchmarks/stability.{path}"
    with pytest.raises(HubError, match=said):
        checked_tables(BENCHMARKS["stability"], texts | {path: texts[path].replace(old, new)})
