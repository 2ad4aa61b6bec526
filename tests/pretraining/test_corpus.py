"""Files in any compression give the same tokens, once; what is wrong with them is one error."""

import gzip
import json
import lzma
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.errors import InputError
from peftide.pretraining import corpus as corpus_module
from peftide.pretraining.corpus import (
    Corpus,
    CorpusFiles,
    cluster_numbers,
    file_sizes,
    holds,
    open_corpus,
)
from tests.conftest import random_sequences, write_proteins
from tests.pretraining.conftest import VOCABULARY, token_ids

SEQUENCES = random_sequences(12, lengths=(30, 60), seed=5)
OPENERS: dict[str, Any] = {"": open, ".gz": gzip.open, ".xz": lzma.open}


def open_in(folder: Path, files: CorpusFiles) -> Corpus:
    return open_corpus(folder, files, VOCABULARY.letter_ids)


def fasta(folder: Path, sequences: list[str] = SEQUENCES, name: str = "p.fasta") -> CorpusFiles:
    folder.mkdir(exist_ok=True)
    return CorpusFiles((write_proteins(folder / name, sequences),))


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("ending", OPENERS)
def test_tokens_are_those_of_the_tokenizer_however_compressed(tmp_path: Path, ending: str) -> None:
    text = "".join(f">p{k} of a proteome\n{s[:20]}\n{s[20:]}\n" for k, s in enumerate(SEQUENCES))
    path = tmp_path / f"p.fasta{ending}"
    with OPENERS[ending](path, "wt") as stream:
        stream.write(text)
    corpus = open_in(tmp_path / "corpus", CorpusFiles((path,)))
    assert corpus.ids == tuple(f"p{k}" for k in range(12))
    assert corpus.lengths.tolist() == [len(sequence) for sequence in SEQUENCES]
    for index, sequence in enumerate(SEQUENCES):
        assert np.array_equal(corpus.residues(index), token_ids(sequence))
    assert corpus.clusters.tolist() == list(range(12))
    assert corpus.record["residues"] == len(corpus.tokens) == sum(map(len, SEQUENCES))


def test_several_files_follow_one_another(tmp_path: Path) -> None:
    first = write_proteins(tmp_path / "a.fasta", SEQUENCES[:5])
    second = write_proteins(tmp_path / "b.fasta", SEQUENCES[5:])
    corpus = open_in(tmp_path / "corpus", CorpusFiles((first, second)))
    whole = open_in(tmp_path / "whole", fasta(tmp_path / "one"))
    assert np.array_equal(corpus.tokens, whole.tokens)
    assert np.array_equal(corpus.offsets, whole.offsets)


def test_what_is_left_out_and_repaired_is_counted(tmp_path: Path) -> None:
    sequences = [*SEQUENCES[:3], "M" * 29, SEQUENCES[3].lower(), SEQUENCES[4] + "*"]
    files = fasta(tmp_path / "in", sequences)
    exclude = tmp_path / "exclude.tsv.gz"
    with gzip.open(exclude, "wt") as stream:
        stream.write("p1\tsome other column\n\nnot_there\n")
    corpus = open_in(tmp_path / "corpus", replace(files, exclude=exclude))
    assert corpus.ids == ("p0", "p2", "p4", "p5")
    assert np.array_equal(corpus.residues(2), token_ids(SEQUENCES[3]))
    assert np.array_equal(corpus.residues(3), token_ids(SEQUENCES[4]))
    record = corpus.record
    assert (record["sequences"], record["excluded"], record["too_short"]) == (4, 1, 1)
    found = {finding["kind"]: finding["count"] for finding in record["findings"]}
    assert found == {"lower_case_sequences": 1, "trailing_stops": 1}
    longer = open_in(tmp_path / "corpus", replace(files, min_length=1))
    assert longer.record["too_short"] == 0


def test_a_table_says_which_sequences_are_one_cluster(tmp_path: Path) -> None:
    table = write(tmp_path / "c.tsv", "p0\tp0\np0\tp3\np5\tp5\np5\tp1\np9\tp9\nx\ty\n")
    files = replace(fasta(tmp_path / "in", SEQUENCES[:6]), clusters=table)
    corpus = open_in(tmp_path / "corpus", files)
    groups: dict[int, set[str]] = {}
    for name, cluster in zip(corpus.ids, corpus.clusters.tolist(), strict=True):
        groups.setdefault(cluster, set()).add(name)
    assert sorted(map(sorted, groups.values())) == [["p0", "p3"], ["p1", "p5"], ["p2"], ["p4"]]
    assert corpus.record["clusters"] == len(groups) == corpus.clusters.max() + 1


def test_a_representative_that_was_left_out_still_joins_its_members(tmp_path: Path) -> None:
    table = write(tmp_path / "c.tsv", "gone\tgone\ngone\ta\ngone\tb\n")
    assert cluster_numbers(["a", "b", "c"], table).tolist() == [1, 1, 0]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Files that are tokenised, as it happens."""
    seen: list[Path] = []
    stream = corpus_module.stream_fasta

    def counted(path: Path) -> Any:
        seen.append(path)
        return (yield from stream(path))

    monkeypatch.setattr(corpus_module, "stream_fasta", counted)
    return seen


def test_a_corpus_is_read_once(tmp_path: Path, reads: list[Path]) -> None:
    files = fasta(tmp_path / "in")
    first = open_in(tmp_path / "corpus", files)
    again = open_in(tmp_path / "corpus", files)
    assert len(reads) == 1
    assert np.array_equal(first.tokens, again.tokens)
    assert (again.ids, again.record) == (first.ids, first.record)


def test_a_changed_file_or_option_makes_it_anew(tmp_path: Path, reads: list[Path]) -> None:
    """Two files have one name, so their folders must not matter, and each must be looked at."""
    one, two = fasta(tmp_path / "one"), fasta(tmp_path / "two", SEQUENCES[:4])
    files = CorpusFiles((*one.sequences, *two.sequences))
    exclude = write(tmp_path / "x.txt", "p3\n")
    open_in(tmp_path / "corpus", files)
    for number, changed in enumerate(
        [replace(files, min_length=35), replace(files, exclude=exclude), files], start=2
    ):
        open_in(tmp_path / "corpus", changed)
        assert len(reads) == 2 * number
    write_proteins(one.sequences[0], SEQUENCES[:6])
    assert open_in(tmp_path / "corpus", files).record["sequences"] == 6 + 4
    assert len(reads) == 10


def test_what_an_interrupted_reading_left_is_no_corpus(tmp_path: Path) -> None:
    files = fasta(tmp_path / "in")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "tokens.u8").write_bytes(b"abc")
    assert open_in(tmp_path / "corpus", files).record["sequences"] == 12
    (tmp_path / "corpus" / "corpus.json").write_text("{")
    assert open_in(tmp_path / "corpus", files).record["sequences"] == 12
    assert json.loads((tmp_path / "corpus" / "corpus.json").read_text())["counts"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (">a\nMKV\n>b\nMK\nM1V\n", r"p\.fasta:5: .*1"),
        (">a\nMKV\n>\nMKV\n", r"p\.fasta:3: a '>' without an id"),
        ("MKV\n", r"p\.fasta:1: 'MKV' is not FASTA"),
        (">a\nMKV\n>b\n", r"p\.fasta:3: .*b"),
        ("", r"p\.fasta: the file is empty"),
        (">a\nMKV\n", "no sequence is left to train on; expected sequences of at least 30"),
    ],
)
def test_what_is_wrong_in_a_file_is_said_with_its_line(
    tmp_path: Path, text: str, said: str
) -> None:
    files = CorpusFiles((write(tmp_path / "p.fasta", text),))
    with pytest.raises(InputError, match=said):
        open_in(tmp_path / "corpus", files)
    assert [path.name for path in tmp_path.iterdir()] == ["p.fasta"]


def test_a_file_cut_off_or_of_another_kind_is_one_error(tmp_path: Path) -> None:
    whole = gzip.compress(b">a\n" + b"MKV" * 20_000)
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "excel.xls").write_bytes(b"\xd0\xcf\x11\xe0" * 9)
    for name in ("cut.gz", "excel.xls"):
        with pytest.raises(InputError, match=name):
            open_in(tmp_path / "corpus", CorpusFiles((tmp_path / name,)))


def test_a_cluster_table_that_names_nothing_is_an_error(tmp_path: Path) -> None:
    table = write(tmp_path / "c.tsv", "x\ty\nonly_one_column\n")
    files = replace(fasta(tmp_path / "in"), clusters=table)
    with pytest.raises(
        InputError, match=r"--clusters: .*c\.tsv contains none of the 12 sequence ids"
    ):
        open_in(tmp_path / "corpus", files)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"key": 3}'])
def test_a_damaged_record_holds_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "corpus.json").write_text(content)
    assert not holds(tmp_path / "corpus.json", {"a": 1})


def test_a_file_of_another_size_is_made_again(tmp_path: Path) -> None:
    record, key = tmp_path / "corpus.json", {"a": 1}
    (tmp_path / "tokens.u8").write_bytes(b"abc")
    record.write_text(json.dumps({"key": key, "sizes": file_sizes(record)}))
    assert holds(record, key)
    (tmp_path / "tokens.u8").write_bytes(b"ab")
    assert not holds(record, key)
