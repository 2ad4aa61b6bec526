"""The program's failures are told, and nothing of it is left behind."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from peftide.errors import PeftideError, StorageError
from peftide.similarity import SimilaritySettings, search
from peftide.similarity.mmseqs import NothingToIndex, search_with_mmseqs

SETTINGS = SimilaritySettings(tool="pyopal", threads=1)


@pytest.fixture(autouse=True)
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    yield
    assert not list((tmp_path / "temporary").iterdir())


def program(folder: Path, script: str) -> str:
    """Write a program that stands in for MMseqs2."""
    path = folder / "mmseqs"
    path.write_text(f"#!/bin/sh\n[ $1 = version ] && echo 99.test && exit 0\n{script}\n")
    path.chmod(0o755)
    return str(path)


def run(path: str):
    return search_with_mmseqs(path, ["MKV"], ["MKVL"], settings=SETTINGS)


def test_what_it_writes_is_read(tmp_path: Path):
    line = r"0\t0\t0.412\t0.9\t0.8\t61"
    found = run(program(tmp_path, f"printf '{line}\\n{line}\\n' > hits.tsv"))
    assert found.tool == "MMseqs2 99.test"
    assert found.query.tolist() == found.target.tolist() == [0]
    assert found.identity_fraction.tolist() == [0.412]
    assert found.score.tolist() == [61]


def test_it_is_told_what_to_do(tmp_path: Path):
    path = program(tmp_path, f'echo "$@" > {tmp_path}/said; cp *.fasta {tmp_path}; : > hits.tsv')
    assert len(run(path)) == 0
    said = (tmp_path / "said").read_text()
    assert "--threads 1" in said
    assert "--max-seqs 400 -e 0.001" in said
    assert (tmp_path / "targets.fasta").read_text() == ">0\nMKVL\n"


def test_a_failure_is_told(tmp_path: Path):
    script = "for n in 1 2 3 4 5 6 7 8; do echo line $n; done; echo 'disk is full' >&2; exit 7"
    with pytest.raises(PeftideError) as caught:
        run(program(tmp_path, script))
    message = str(caught.value)
    assert message.startswith("MMseqs2 ended with code 7:")
    assert "disk is full" in message
    assert "line 2" not in message
    assert "pyopal" in message


def test_a_full_disk_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    said = "cannot write its temporary files .*No space left on device. Set TMPDIR"
    with pytest.raises(StorageError, match=said):
        run(program(tmp_path, "echo 'write: No space left on device' >&2; exit 1"))
    path = program(tmp_path, ": > hits.tsv")  # MMseqs2 may miss that its last file is cut
    monkeypatch.setattr("peftide.similarity.mmseqs.free_bytes", lambda _: 0)
    with pytest.raises(StorageError, match=said):
        run(path)


def test_a_temporary_folder_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = program(tmp_path, ": > hits.tsv")
    with monkeypatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(tmp_path / "absent"))
        with pytest.raises(StorageError, match="absent: No such file or directory. Set TMPDIR"):
            run(path)


def test_nothing_to_index_is_another_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = program(tmp_path, "echo 'No k-mer could be extracted for the database'; exit 1")
    with pytest.raises(NothingToIndex):
        run(path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = search(["MKV"], ["MKV"], SimilaritySettings(tool="mmseqs"))
    assert found.target.tolist() == [0]
    assert found.tool.startswith("pyopal")


def test_an_interrupt_ends_it_and_its_children(tmp_path: Path):
    path = program(tmp_path, f"echo $$ > {tmp_path}/pid; sleep 300 & wait")

    def interrupt(*_: object):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 1.0)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(path)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    group = (tmp_path / "pid").read_text().strip()
    assert not _alive(group)


def _alive(group: str) -> bool:
    """Whether a process of this group still runs; one that was killed may take a moment."""
    for _ in range(50):
        found = subprocess.run(
            ["ps", "-o", "stat=", "-g", group], capture_output=True, text=True, check=False
        )
        running = [line for line in found.stdout.split() if not line.startswith("Z")]
        if not running:
            return False
        time.sleep(0.1)
    return True
