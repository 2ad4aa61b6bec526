"""The program MMseqs2, run in a temporary folder."""

import errno
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from peftide.errors import PeftideError, StorageError
from peftide.files import free_bytes
from peftide.progress import working
from peftide.similarity.hits import Hits
from peftide.similarity.settings import SimilaritySettings
from peftide.similarity.smith_waterman import known_letters

SENSITIVITY = "7.5"
"""The highest sensitivity; for human proteins at 30 % identity it finds 1/6 more than 5.7."""

NO_SPACE = os.strerror(errno.ENOSPC)
LEAST_BYTES = 2**16
"""With less free space after a search, its last file may be cut."""
NO_WORDS = "No k-mer could be extracted"
COLUMNS = ("query", "target", "fident", "qcov", "tcov", "bits")
SHOWN_LINES = 6


class NothingToIndex(Exception):  # noqa: N818 — not a user error: pyopal is used instead
    """All targets are too short or of too low complexity for MMseqs2's index."""


def search_with_mmseqs(
    program: str, queries: Sequence[str], targets: Sequence[str], *, settings: SimilaritySettings
) -> Hits:
    """Return the hits of `mmseqs easy-search`, filtered only by E-value.

    Raises
    ------
    NothingToIndex
        If MMseqs2 cannot extract any k-mer from the targets.
    StorageError
        If its temporary folder cannot be written, or is full.
    PeftideError
        If MMseqs2 fails for another reason.
    """
    with _temporary_folder() as folder:
        _write_fasta(folder / "queries.fasta", queries)
        _write_fasta(folder / "targets.fasta", targets)
        words = [program, "easy-search", "queries.fasta", "targets.fasta", "hits.tsv", "work"]
        words += ["--dbtype", "1", "--alignment-mode", "3", "-v", "2", "-s", SENSITIVITY]
        words += ["--max-seqs", str(settings.max_hits), "-e", str(settings.max_evalue)]
        words += ["--threads", str(settings.thread_count())]
        words += ["--format-output", ",".join(COLUMNS)]
        _run(words, folder)
        return _read_hits(folder / "hits.tsv", tool=tool_name(program))


@cache
def tool_name(program: str) -> str:
    """Return name and version of the program."""
    answer = subprocess.run([program, "version"], capture_output=True, text=True, check=False)
    return f"MMseqs2 {answer.stdout.strip() or 'of unknown version'}"


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    """Yield a folder for the files of MMseqs2, which goes when the block ends."""
    try:
        made = tempfile.TemporaryDirectory(prefix="peftide-mmseqs-", ignore_cleanup_errors=True)
    except OSError as error:
        raise _no_space(Path(tempfile.gettempdir()), str(error.strerror)) from error
    with made as name:
        yield Path(name)


def _no_space(folder: Path, reason: str) -> StorageError:
    return StorageError(
        f"MMseqs2 cannot write its temporary files to {folder}: {reason}. Set TMPDIR to a folder "
        "with space"
    )


def _write_fasta(path: Path, sequences: Sequence[str]) -> None:
    records = (f">{number}\n{known_letters(text)}\n" for number, text in enumerate(sequences))
    try:
        path.write_text("".join(records), encoding="ascii")
    except OSError as error:
        raise _no_space(path.parent, str(error.strerror)) from error


def _run(words: Sequence[str], folder: Path) -> None:
    """Run a command to its end; an interruption ends it and the processes that it started."""
    with subprocess.Popen(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            with working("MMseqs2 is searching"):
                said = process.communicate()[0]
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if NO_SPACE in said or free_bytes(folder) < LEAST_BYTES:
        raise _no_space(folder, NO_SPACE)
    if process.returncode == 0:
        return
    if NO_WORDS in said:
        raise NothingToIndex
    last = "\n  ".join(said.strip().splitlines()[-SHOWN_LINES:])
    raise PeftideError(
        f"MMseqs2 ended with code {process.returncode}:\n  {last}\n"
        "To search without MMseqs2, use the tool `pyopal`, which comes with peftide"
    )


def _read_hits(path: Path, *, tool: str) -> Hits:
    found = pd.read_csv(path, sep="\t", names=list(COLUMNS), dtype=np.float64)
    found = found.drop_duplicates(["query", "target"])
    ends = [found[name].to_numpy(np.int64) for name in COLUMNS[:2]]
    return Hits(*ends, *(found[name].to_numpy(np.float64) for name in COLUMNS[2:]), tool=tool)
