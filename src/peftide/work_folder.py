"""Work folders: a command makes its output in one, then puts it in its place.

::

    run/.peftide-evaluate/        work folder of a folder; its lock keeps other processes out
    .scores.tsv.peftide-predict/  work folder of a file, next to it
        lock  embedding/  new/  ready/
                          │      └─ whole: its files are moved to their places, then the rest goes
                          └─ incomplete, made again by the next call

A killed command leaves its work folder behind. The next call of the same command finds it, goes on
with it, and needs no --overwrite.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from peftide.files import remove, settle, storage_errors, text_hash

RECORD, SPLIT_RECORD = "run.json", "split.json"
RECORDS = (RECORD, SPLIT_RECORD)
LONG_NAME = 200
"""Bytes of a file name from which names made of it are shortened; file systems take 255."""


@dataclass(frozen=True)
class Work:
    """The work folder of an output.

    Attributes
    ----------
    path
        The work folder.
    out
        The output, a file or a folder.
    into
        Folder that gets the finished files.
    """

    path: Path
    out: Path
    into: Path

    @property
    def lock(self) -> Path:
        """Held by the process that makes the output."""
        return self.path / "lock"

    @property
    def store(self) -> Path:
        """Encoded proteins, kept for the next call if this one is interrupted."""
        return self.path / "embedding"

    @property
    def new(self) -> Path:
        """The new files until they are complete."""
        return self.path / "new"

    @property
    def ready(self) -> Path:
        """The new files when they are complete, on their way to their places."""
        return self.path / "ready"

    def put(self, outdated: Iterable[str] = ()) -> None:
        """Move the complete new files to their places.

        Parameters
        ----------
        outdated
            Names of earlier output, removed unless a new file has the name.
        """
        with storage_errors(self.out):
            settle(self.new)
            for name in {*outdated} - {path.name for path in self.new.iterdir()}:
                remove(self.into / name)
            self.new.replace(self.ready)
        self.finish_moving()

    def finish_moving(self) -> None:
        """Move the remaining complete files to their places, the record last."""
        if not self.ready.is_dir():
            return
        with storage_errors(self.out):
            for path in sorted(self.ready.iterdir(), key=lambda path: path.name in RECORDS):
                place = self.into / path.name
                if place.is_dir():
                    remove(place)
                path.replace(place)
            self.ready.rmdir()

    def leave(self) -> None:
        """Remove the work folder; that it is gone says that the output is finished."""
        with suppress(OSError):  # another process may already be using the folder
            for path in self.path.iterdir():
                if path != self.lock:
                    remove(path)
            remove(self.lock)
            self.path.rmdir()


def folder_work(out: Path, command: str) -> Work:
    """Return the work folder inside an output folder.

    Examples
    --------
    >>> folder_work(Path("run"), "train").path.as_posix()
    'run/.peftide-train'
    """
    return Work(out / f".peftide-{command}", out, into=out)


def file_work(out: Path, command: str) -> Work:
    """Return the work folder next to an output file.

    Examples
    --------
    >>> file_work(Path("a/scores.tsv"), "predict").path.as_posix()
    'a/.scores.tsv.peftide-predict'
    """
    name = out.name if len(os.fsencode(out.name)) < LONG_NAME else text_hash(out.name)[:16]
    return Work(out.with_name(f".{name}.peftide-{command}"), out, into=out.parent)
