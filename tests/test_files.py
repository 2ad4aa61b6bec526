"""A file is there whole, or what was there before is."""

import errno
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from peftide.errors import InputError, StorageError
from peftide.files import (
    PARTIAL,
    alone_at,
    as_file,
    file_hash,
    finite,
    full_disk_errors,
    reading_pipes,
    remove,
    remove_partials,
    size_on_disk,
    storage_errors,
    write_json,
    write_text,
    written_whole,
)


def full_disk(*_args: object, **_options: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def fail_halfway(path: Path, error: type[BaseException]) -> None:
    with written_whole(path) as partial:
        if path.is_dir():
            partial.mkdir()
            partial = partial / "new.txt"
        partial.write_text("half")
        raise error


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_appears_at_the_end_only(tmp_path: Path):
    path = tmp_path / "new" / "a.txt"
    with written_whole(path) as partial:
        partial.write_text("whole")
        assert not path.exists()
        assert partial.parent == path.parent  # a rename never crosses disks
    assert path.read_text() == "whole"
    assert names(tmp_path) == ["new", "new/a.txt"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
def test_an_error_inside_leaves_the_old_file(tmp_path: Path, error: type[BaseException]):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error):
        fail_halfway(path, error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_an_error_inside_leaves_the_old_folder(tmp_path: Path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with pytest.raises(ZeroDivisionError):
        fail_halfway(path, ZeroDivisionError)
    assert names(tmp_path) == ["model", "model/old.txt"]


def test_a_folder_replaces_the_old_one_whole(tmp_path: Path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old.txt").write_text("old")
    with written_whole(path) as partial:
        partial.mkdir()
        (partial / "new.txt").write_text("new")
        assert (path / "old.txt").read_text() == "old"
    assert names(tmp_path) == ["model", "model/new.txt"]


def test_a_full_disk_is_one_clear_error_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(StorageError, match="no space left on the disk of .*a.txt") as caught:
        write_text(path, "new")
    assert "Free some space and run the same command again" in str(caught.value)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="needs /dev/full, the full disk of Linux"
)
def test_a_disk_that_is_really_full(tmp_path: Path):
    with pytest.raises(StorageError, match="no space left"), storage_errors(tmp_path / "a.txt"):
        Path("/dev/full").write_text("x")


def test_a_full_disk_as_safetensors_says_it(tmp_path: Path):
    message = "Error while serializing: I/O error: No space left on device (os error 28)"
    with pytest.raises(StorageError, match="no space left"), storage_errors(tmp_path / "a"):
        raise RuntimeError(message)


def test_an_error_of_another_kind_passes_as_it_is(tmp_path: Path):
    with pytest.raises(ZeroDivisionError), storage_errors(tmp_path):
        raise ZeroDivisionError


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match=r"cannot write .*a\.txt: .* Choose another place"):
        write_text(tmp_path / "file" / "a.txt", "x")


def test_json_has_null_for_what_is_not_finite(tmp_path: Path):
    content = {
        "a": float("nan"),
        "b": [float("inf"), -float("inf"), 1.5],
        "c": (np.float64("nan"),),
    }
    write_json(tmp_path / "a.json", content | {"d": "é", "e": None, "f": True, "g": 3})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    strict = json.loads(text, parse_constant=lambda name: pytest.fail(name))
    expected = {"a": None, "b": [None, None, 1.5], "c": [None], "d": "é", "e": None}
    assert strict == expected | {"f": True, "g": 3}
    assert "é" in text
    assert text.endswith("}\n")


def test_finite_leaves_its_input_alone():
    content = {"a": [float("nan")]}
    assert finite(content) == {"a": [None]}
    assert content["a"][0] is not None


def test_hash_is_the_sha256_of_the_bytes(tmp_path: Path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert file_hash(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_remove_takes_files_folders_and_nothing(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("x")
    for name in ["file", "folder", "nothing"]:
        remove(tmp_path / name)
    assert names(tmp_path) == []


def test_remove_takes_a_link_and_not_its_folder(tmp_path: Path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to("folder")
    remove(tmp_path / "link")
    assert names(tmp_path) == ["folder"]


def test_a_full_disk_is_recognised_in_the_list_of_a_copied_folder():
    full = [("a", "b", "[Errno 28] No space left on device: 'a' -> 'b'")]
    said = "^no space left on the disk of best"
    with pytest.raises(StorageError, match=said), storage_errors(Path("best")):
        raise shutil.Error(full)


@pytest.mark.parametrize("said", ["(os error 28)", "database or disk is full"])
def test_a_full_disk_is_recognised_behind_another_error(said: str):
    """The interface of a database ends with an assertion of its own after SQLite's error."""

    def work() -> None:
        try:
            raise RuntimeError(said)
        finally:
            raise AssertionError("Should not reach")

    with pytest.raises(StorageError, match="no space left on"), full_disk_errors(Path("study")):
        work()
    with pytest.raises(KeyError), full_disk_errors(Path("study")):
        raise KeyError("x")


def test_a_file_may_have_the_longest_name(tmp_path: Path):
    write_text(tmp_path / ("a" * 255), "x")
    assert names(tmp_path) == ["a" * 255]


def test_partial_files_of_killed_processes_go(tmp_path: Path):
    (tmp_path / f"{PARTIAL}0123-1").mkdir()
    (tmp_path / f"{PARTIAL}4567-1").touch()
    (tmp_path / "mine.partial").touch()
    remove_partials(tmp_path)
    assert names(tmp_path) == ["mine.partial"]


def test_a_tidy_output_deletes_only_what_dead_processes_left_of_it(tmp_path: Path):
    """Without a lock, a living process or another machine may be writing the same output."""
    page = tmp_path / "report.html"
    with written_whole(page) as partial:
        partial.touch()
        beginning = partial.name.rpartition("-")[0]
    with subprocess.Popen(["true"]) as process:
        dead = process.pid
    kept = [f"{beginning}-{os.getppid()}", f"{PARTIAL}0123456789abcdef-01234567-{dead}"]
    kept.append(f"{beginning[:-3]}xyz-{dead}")
    for name in (*kept, f"{beginning}-{dead}", f"{beginning}-half"):
        (tmp_path / name).touch()
    write_text(page, "whole", tidy=True)
    assert names(tmp_path) == sorted([*kept, "report.html"])


def test_tensors_are_written_whole_too(tmp_path: Path):
    path = tmp_path / "a.safetensors"
    with written_whole(path) as partial:
        save_file({"x": torch.ones(2)}, partial)
    assert names(tmp_path) == ["a.safetensors"]


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_files_of_tensors_are_as_readable_as_others(tmp_path: Path, umask: int):
    """safetensors alone gives them to their owner only."""
    with written_whole(tmp_path / "a.safetensors") as partial:
        save_file({"x": torch.ones(2)}, partial)
    with written_whole(tmp_path / "folder") as partial:
        (partial / "inside").mkdir(parents=True)
        save_file({"x": torch.ones(2)}, partial / "inside" / "b.safetensors")
    (tmp_path / "usual").write_text("x")
    usual = (tmp_path / "usual").stat().st_mode
    assert usual & 0o777 == 0o666 & ~umask
    for name in ("a.safetensors", "folder/inside/b.safetensors"):
        assert (tmp_path / name).stat().st_mode == usual
    assert os.umask(umask) == umask  # as it was


def test_one_process_at_a_time_holds_a_lock(tmp_path: Path):
    lock = tmp_path / "folder" / "lock"
    with (
        alone_at(lock, wait=True),
        pytest.raises(InputError, match="another process"),
        alone_at(lock, wait=False),
    ):
        pass
    with alone_at(lock, wait=False):
        assert lock.is_file()


def test_a_lock_in_a_place_that_cannot_be_written_says_so(tmp_path: Path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(StorageError, match="cannot write"),
        alone_at(tmp_path / "file" / "lock", wait=False),
    ):
        pass


def pipe_with(path: Path, content: bytes) -> threading.Thread:
    """Make a named pipe, and write into it once somebody reads it."""
    os.mkfifo(path)
    thread = threading.Thread(target=path.write_bytes, args=(content,))
    thread.start()
    return thread


def test_a_pipe_is_read_once_and_is_then_a_file(tmp_path: Path) -> None:
    writer = pipe_with(tmp_path / "pipe", b"content")
    with reading_pipes():
        copied = as_file(tmp_path / "pipe")
        assert copied.read_bytes() == b"content"
        assert as_file(tmp_path / "pipe") == copied
        assert file_hash(tmp_path / "pipe") == hashlib.sha256(b"content").hexdigest()
    writer.join()
    assert not copied.exists()


def test_without_a_pipe_no_folder_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with reading_pipes():
        assert as_file(Path(__file__)) == Path(__file__)
        assert not list(tmp_path.iterdir())


def test_files_and_missing_files_are_themselves(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    for path in (tmp_path / "a", tmp_path, tmp_path / "missing"):
        assert as_file(path) == path


def test_a_pipe_in_a_library_call_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe: this is a pipe; expected a file"):
        file_hash(tmp_path / "pipe")


def test_a_device_without_end_is_refused() -> None:
    with reading_pipes(), pytest.raises(InputError, match="/dev/zero: this is a device"):
        as_file(Path("/dev/zero"))


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_noted(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    number: int,
):
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone_at(tmp_path / "folder" / "lock", wait=False):
        pass
    assert "has no locks" in caplog.text


def test_a_lock_tells_whether_its_folder_was_there(tmp_path: Path):
    lock = tmp_path / "folder" / "lock"
    with alone_at(lock, wait=False) as before:
        assert not before
    with alone_at(lock, wait=False) as before:
        assert before


def test_a_lock_that_its_holder_removed_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Between opening and locking it, the other process ends and removes the folder."""
    lock, flock, calls = tmp_path / "folder" / "lock", fcntl.flock, []

    def late(*arguments: Any) -> None:
        if not calls:
            remove(lock.parent)
        calls.append(arguments)
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", late)
    with alone_at(lock, wait=False) as before:
        assert lock.is_file()
        assert not before
    assert len(calls) == 2


def test_a_read_only_file_system_is_one_error(tmp_path: Path):
    """Permissions do not stop root, a read-only mount does."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    place = tmp_path / "place"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "ro", "none", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        for path in (place / "a.txt", place / "folder" / "a.txt"):
            with pytest.raises(StorageError, match="Read-only file system"):
                write_text(path, "x")
        with (
            pytest.raises(StorageError, match="Read-only file system"),
            alone_at(place / "folder" / "lock", wait=False),
        ):
            pass
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_size_on_disk_counts_what_is_there(tmp_path: Path):
    assert size_on_disk(tmp_path / "absent") == 0
    (tmp_path / "a").write_bytes(bytes(range(256)) * 400)
    assert size_on_disk(tmp_path) >= 102_400
