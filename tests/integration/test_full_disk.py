"""A disk that is full: one message, exit code 1, nothing half-written."""

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.cli import main
from peftide.cli.main import COMMANDS, find_command
from peftide.config import to_yaml
from tests.conftest import (
    TINY,
    labelled_rows,
    random_sequences,
    small_config,
    write_proteins,
    write_rows,
)


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


def small_disk(place: Path, kibibytes: int) -> None:
    """Mount a disk of so many KiB, or give it another size."""
    resize = "remount," if place.is_mount() else ""
    place.mkdir(exist_ok=True)
    options = f"{resize}size={kibibytes}k"
    words = ["mount", "-t", "tmpfs", "-o", options, "peftide-test", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("a small disk needs the right to mount one (root)")


@pytest.fixture(scope="module", autouse=True)
def every_command_is_loaded() -> None:
    """A fork that loads libraries itself takes seconds."""
    import h5py  # noqa: F401
    import pyarrow  # noqa: F401

    for name in COMMANDS:
        find_command(name)


def in_a_process(words: str) -> tuple[int, str]:
    """Run a command in a fork, so that a segmentation fault ends nothing else."""
    reading, writing = os.pipe()
    process = os.fork()
    if not process:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 — of a fork
        sys.stderr = os.fdopen(writing, "w", encoding="utf-8", buffering=1)
        os._exit(main(words.split()))
    os.close(writing)
    with os.fdopen(reading, errors="replace") as stream:
        said = stream.read()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), said


def contents(place: Path) -> dict[str, bytes]:
    """Every file without those that hold a date, a duration or a path."""
    changing = {"run.json", "report.html", "history.csv", "split.json", "config.yaml"}
    files = (path for path in sorted(place.rglob("*")) if path.is_file())
    return {str(path): path.read_bytes() for path in files if path.name not in changing}


COMMON = "--threads 1 --device cpu --precision fp32"
EMBED = f"embed --backbone {TINY} --sequences p.fasta {COMMON} --out disk/e"
WRITING = {
    "safetensors": f"{EMBED}.safetensors",
    "h5": f"{EMBED}.h5",
    "parquet": f"{EMBED}.parquet",
    "split": "split --input t.tsv --kind random --out disk/s",
    "audit": "audit --data t.tsv --out disk/a.json",
    "predict": f"predict run --input t.tsv --out disk/p.tsv {COMMON}",
    "evaluate": f"evaluate run --input t.tsv --out disk/e {COMMON}",
    "train": f"train --task regression --data t.tsv --out disk/r --backbone {TINY} --method head"
    f" --epochs 1 --head-width 16 {COMMON}",
}
FEWEST, MOST = 4, 65_536  # KiB


@pytest.mark.parametrize("name", WRITING)
def test_a_command_on_a_full_disk_says_so_and_works_once_there_is_room(
    tmp_path: Path, trained: Callable[[str, str], Path], name: str
) -> None:
    """A few sizes between nothing and enough; the slow test below tries more."""
    try_sizes(tmp_path, trained("regression", "head"), name, count=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITING)
def test_every_page_less_than_enough_is_a_full_disk(
    tmp_path: Path, trained: Callable[[str, str], Path], name: str
) -> None:
    try_sizes(tmp_path, trained("regression", "head"), name, count=60)


def try_sizes(folder: Path, run: Path, name: str, *, count: int) -> None:
    parts = ("train", "validation", "test")
    rows = labelled_rows("regression", "test", 24)
    cells = [(*row, parts[k % 3]) for k, row in enumerate(rows)]
    write_rows(folder / "t.tsv", "id sequence label split", cells)
    write_proteins(folder / "p.fasta", random_sequences(200, lengths=(20, 40)))
    (folder / "run").symlink_to(run)
    disk, words = folder / "disk", WRITING[name]
    small_disk(disk, MOST)
    try:
        assert in_a_process(words)[0] in (0, 3)
        right = contents(disk)
        needed = sum(path.stat().st_blocks for path in disk.rglob("*")) // 2
    finally:
        subprocess.run(["umount", str(disk)], check=True)
    sizes = range(FEWEST, needed + 40, max(4, (needed + 40 - FEWEST) // count))
    refused = 0
    for size in sizes:
        small_disk(disk, size)
        try:
            code, said = in_a_process(words)
            assert code in (0, 3) or (code == 1 and "error: no space left" in said), (size, said)
            refused += code == 1
            small_disk(disk, MOST)
            if code == 1:
                again = " --resume" if name == "train" else ""
                assert in_a_process(words + again)[0] in (0, 3), size
            assert contents(disk) == right, size
        finally:
            subprocess.run(["umount", str(disk)], check=True)
    assert refused


@pytest.mark.parametrize("ending", ["safetensors", "h5", "parquet"])
def test_an_old_result_survives_a_full_disk(tmp_path: Path, ending: str) -> None:
    write_proteins(tmp_path / "p.fasta", random_sequences(200, lengths=(20, 40)))
    disk, words = tmp_path / "disk", f"{EMBED}.{ending}"
    small_disk(disk, MOST)
    try:
        assert in_a_process(words)[0] == 0
        before = contents(disk)
        used = sum(path.stat().st_blocks for path in disk.rglob("*")) // 2
        small_disk(disk, used + 8)
        code, said = in_a_process(f"{words} --overwrite")
        assert (code, "no space left" in said) == (1, True)
        assert contents(disk) == before
    finally:
        subprocess.run(["umount", str(disk)], check=True)
