from pathlib import Path

import pytest

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.tasks.request import read_request
from tests.conftest import random_sequences, small_config, write_proteins, write_rows

HEADER = "id sequence label split"


def refused(config: TrainConfig) -> str:
    with pytest.raises(InputError) as caught:
        read_request(config)
    return str(caught.value)


@pytest.mark.parametrize("task", ["binary", "auto"])
def test_every_wrong_row_is_named_at_once(tmp_path: Path, task: str) -> None:
    rows: list[tuple[object, ...]] = [
        (f"p{k}", text, k % 2, ("train", "validation", "test")[k % 3])
        for k, text in enumerate(random_sequences(20))
    ]
    rows[2] = ("p2", "MKV1LA", 0, "train")
    rows[4] = ("p4", "MKVLA", "maybe", "train")
    rows[6] = ("", "MKVLAW", 1, "train")
    rows[8] = ("p8", "MKVLAK", 1, "traning")
    rows[11] = ("p11", "MKVLAK", "", "test")
    table = write_rows(tmp_path / "t.tsv", HEADER, rows)
    with table.open("a") as stream:
        stream.write("p20\tMKV\n")
    said = refused(TrainConfig(task=task, data=table, out=tmp_path / "run"))
    lines = [4, 6, 8, 10, 13, 22]
    assert [line for line in lines if f"{table}:{line}" in said] == lines


def test_the_rows_of_all_files_are_named(tmp_path: Path) -> None:
    names = [f"p{k}" for k in range(12)]
    fasta = write_proteins(tmp_path / "s.fasta", random_sequences(12))
    train = write_rows(tmp_path / "a.tsv", "id label", [(n, k % 2) for k, n in enumerate(names)])
    test = write_rows(tmp_path / "b.tsv", "id label", [("p1", ""), ("p2", 1)])
    with fasta.open("a") as stream:
        stream.write(">p99\nMK?\n")
    config = TrainConfig(
        task="binary", train=train, test=(str(test),), sequences=fasta, out=tmp_path / "run"
    )
    said = refused(config)
    assert f"{test}:2: the label is empty" in said
    assert f"{fasta}:26: the sequence of p99 has '?' at position 3" in said


def test_a_sound_request_has_its_tables(tmp_path: Path) -> None:
    config = small_config(tmp_path, "binary", "head")
    settled, task, tables = read_request(config)
    assert (settled.task, task.level) == ("binary", "sequence")
    assert "train" in tables.parts
