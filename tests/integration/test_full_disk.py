"""A disk that is full: one message, exit code 1, nothing half-written."""

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks.cases import CASES, warmed
from benchmarks.full_disk import NoDiskError, try_command

from peftide.cli import main
from peftide.config import to_yaml
from tests.conftest import TINY, small_config, write_proteins


def refuse(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="space is reserved on Linux only")


def test_embeddings_that_do_not_fit_are_refused_before_any_is_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written to a mapped file without space, they would end the process with a bus error."""
    monkeypatch.setattr(os, "posix_fallocate", refuse)
    write_proteins(tmp_path / "p.fasta", ["MKV", "WWA"])
    words = f"embed --backbone {TINY} --sequences p.fasta --out e.h5 --threads 1"
    assert main(words.split()) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: no space left on the disk of ")
    assert [path.name for path in tmp_path.iterdir()] == ["p.fasta"]


def test_training_goes_on_once_there_is_space(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(tmp_path, "regression", "head", epochs=1)
    (tmp_path / "c.yaml").write_text(to_yaml(config))

    with monkeypatch.context() as patch:
        patch.setattr(os, "posix_fallocate", refuse)
        assert main(f"train --config {tmp_path / 'c.yaml'}".split()) == 1
    said = capsys.readouterr().err
    assert "no space left" in said
    assert "--resume" in said
    assert main(f"train --resume --out {config.out}".split()) == 0


def test_the_space_of_embeddings_is_taken_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []
    reserve = os.posix_fallocate

    def note(descriptor: int, start: int, size: int) -> None:
        taken.append((start, size))
        reserve(descriptor, start, size)

    monkeypatch.setattr(os, "posix_fallocate", note)
    write_proteins(tmp_path / "p.fasta", ["MKV", "WWA"])
    words = f"embed --backbone {TINY} --sequences p.fasta --out e.h5 --threads 1"
    assert main(words.split()) == 0
    assert taken == [(0, 128 + 2 * 32 * 4)]  # the header of numpy's format, and two rows


QUICK = (
    *("embed .h5", "embed .parquet --overwrite", "split", "audit --out", "predict .gz"),
    *("evaluate --overwrite", "train"),
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("full-disk") / "inputs"
    with warmed(folder, CASES):
        yield folder


@pytest.mark.parametrize("name", QUICK)
def test_a_command_on_a_full_disk_says_so_and_works_once_there_is_room(
    tmp_path: Path, inputs: Path, name: str
) -> None:
    """A size between nothing and enough; the slow test below tries every page."""
    check(tmp_path, inputs, name, sizes=1)


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_every_page_less_than_enough_is_a_full_disk(
    tmp_path: Path, inputs: Path, name: str
) -> None:
    check(tmp_path, inputs, name, sizes=None)


def check(folder: Path, inputs: Path, name: str, *, sizes: int | None) -> None:
    try:
        found = try_command(name, inputs, folder, sizes=sizes)
    except NoDiskError as error:
        pytest.skip(str(error))
    assert found.refused
    assert found.faults == {}
