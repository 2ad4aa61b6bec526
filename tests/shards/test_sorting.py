import gzip
import hashlib
import os
from collections import Counter
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.sequences import read_fasta
from peftide.shards import sorting
from peftide.shards.sorting import Source, digest, read_shard, read_sorted, sort_sequences
from tests.conftest import random_sequences, write_proteins


def all_shards(folder: Path, shards: int) -> list[dict[str, list[str]]]:
    return [read_shard(folder, number) for number in range(shards)]


@pytest.mark.parametrize("waiting", [0, 2**28])
def test_every_record_is_in_one_shard_and_equal_sequences_meet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waiting: int
) -> None:
    monkeypatch.setattr(sorting, "WAITING_BYTES", waiting)
    monkeypatch.setattr(sorting, "IDS_PER_FILE", 7)
    sequences = random_sequences(60, lengths=(3, 40), seed=1)
    fasta = write_proteins(tmp_path / "p.fasta", [*sequences, *sequences[:20]])
    found = sort_sequences(fasta, tmp_path / "sorted", size=10, most=None)
    assert (found.shards, found.records, found.findings) == (8, 80, ())
    assert found == read_sorted(tmp_path / "sorted")
    shards = all_shards(tmp_path / "sorted", 8)
    assert len({sequence for shard in shards for sequence in shard}) == 60
    assert sum(len(shard) for shard in shards) == 60
    names = {name: sequence for shard in shards for sequence in shard for name in shard[sequence]}
    assert names == dict(zip(*vars(read_fasta(fasta)[0]).values(), strict=True))
    for number, shard in enumerate(shards):
        order = [(len(s), hashlib.sha256(s.encode()).digest()[:16]) for s in shard]
        assert order == sorted(order)
        records = sum(len(sequence) * len(ids) for sequence, ids in shard.items())
        assert found.residues[number] == records
    assert not list((tmp_path / "sorted").glob("ids-*"))


def test_shards_are_about_equally_large(tmp_path: Path) -> None:
    """Sizes follow a Poisson law, whatever the order of the file."""
    sequences = sorted(random_sequences(4_000, lengths=(20, 60)), key=len)
    fasta = write_proteins(tmp_path / "p.fasta", sequences)
    found = sort_sequences(fasta, tmp_path / "sorted", size=400, most=None)
    sizes = [sum(map(len, shard.values())) for shard in all_shards(tmp_path / "sorted", 10)]
    assert sum(sizes) == 4_000
    assert all(abs(size - 400) < 5 * 20 for size in sizes)
    assert max(found.residues) / min(found.residues) < 1.4


@pytest.mark.parametrize(("most", "shards"), [(None, 30), (4, 4)])
def test_a_highest_number_of_shards_is_kept(tmp_path: Path, most: int, shards: int) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", random_sequences(30))
    assert sort_sequences(fasta, tmp_path / "sorted", size=1, most=most).shards == shards


def test_ids_that_come_again_are_counted_and_read_once(tmp_path: Path) -> None:
    (tmp_path / "p.fasta").write_text(">a\nMKV\n>b\nmkv\n>a\nMKV\n>c\nWW\n>a\nMK V\n")
    found = sort_sequences(tmp_path / "p.fasta", tmp_path / "sorted", size=10, most=None)
    kinds = {finding.kind: finding.count for finding in found.findings}
    assert kinds == {"lower_case_sequences": 1, "blanks_in_sequences": 1, "repeated_ids": 2}
    assert read_shard(tmp_path / "sorted", 0) == {"WW": ["c"], "MKV": ["a", "b"]}


def test_ids_with_two_sequences_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "IDS_PER_FILE", 2)
    records = [
        f">{name}\n{'MKVLA'[:size]}\n" for name, size in zip("abacb", range(1, 6), strict=True)
    ]
    (tmp_path / "p.fasta").write_text("".join(records) + ">e\nM\n>f\nM\n>b\nMM\n>g\nM\n>g\nMK\n")
    with pytest.raises(InputError, match=r"p.fasta: ids with two .*sequences: a, b, g; expected"):
        sort_sequences(tmp_path / "p.fasta", tmp_path / "sorted", size=1, most=None)
    monkeypatch.setattr(sorting, "SHOWN_IDS", 1)
    with pytest.raises(InputError, match=r"sequences: a and 2 more; expected"):
        sort_sequences(tmp_path / "p.fasta", tmp_path / "sorted", size=1, most=None)
    assert not (tmp_path / "sorted").exists()


def test_a_bad_record_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "p.fasta").write_text(">a\nMKV\n>b\nMK1\n")
    with pytest.raises(InputError, match=r"p\.fasta:4: the sequence of b has '1'"):
        sort_sequences(tmp_path / "p.fasta", tmp_path / "sorted", size=1, most=None)
    assert [path.name for path in tmp_path.iterdir()] == ["p.fasta"]


def test_a_compressed_file_gives_the_same_shards(tmp_path: Path) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", random_sequences(50))
    (tmp_path / "p.fasta.gz").write_bytes(gzip.compress(fasta.read_bytes()))
    for name in ("p.fasta", "p.fasta.gz"):
        sort_sequences(tmp_path / name, tmp_path / f"{name}.d", size=10, most=None)
    both = [all_shards(tmp_path / f"{name}.d", 5) for name in ("p.fasta", "p.fasta.gz")]
    assert both[0] == both[1]


def test_a_file_is_known_again_by_its_content(tmp_path: Path) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", ["MKV"])
    source = Source.of(fasta)
    assert source.is_at(fasta)
    os.utime(fasta, (1, 1))
    assert source.is_at(fasta)
    fasta.write_text(">p0\nMKA\n")
    assert not source.is_at(fasta)
    fasta.write_text(">p0\nMKVV\n")
    assert not source.is_at(fasta)


def test_digests_are_those_of_sha256() -> None:
    assert digest("MKV") == hashlib.sha256(b"MKV").digest()[:16]
    assert Counter(len(digest(text)) for text in ("", "é", "x" * 999)) == {16: 3}


def test_nothing_sorted_is_none(tmp_path: Path) -> None:
    assert read_sorted(tmp_path / "absent") is None
    (tmp_path / "sequences.json").write_text("{")
    with pytest.raises(InputError, match=r"sequences\.json.*made again"):
        read_sorted(tmp_path)
