"""The program MMseqs2, run in a temporary folder."""

import logging
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from peftide.errors import PeftideError, StorageError
from peftide.quantities import duration
from peftide.similarity.hits import Hits
from peftide.similarity.settings import SimilaritySettings
from peftide.similarity.smith_waterman import known_letters

logger = logging.getLogger(__name__)

SENSITIVITY = "7.5"
"""The highest sensitivity; for human proteins at 30 % identity it finds 1/6 more than 5.7."""

NO_WORDS = "No k-mer could be extracted"
COLUMNS = ("query", "target", "fident", "qcov", "tcov", "bits")
SHOWN_LINES = 6
SECONDS_BETWEEN_LINES = 5.0


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
    PeftideError
        If MMseqs2 fails for another reason.
    """
    with tempfile.TemporaryDirectory(prefix="peftide-mmseqs-") as name:
        folder = Path(name)
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


def _write_fasta(path: Path, sequences: Sequence[str]) -> None:
    records = (f">{number}\n{known_letters(text)}\n" for number, text in enumerate(sequences))
    try:
        path.write_text("".join(records), encoding="ascii")
    except OSError as error:
        raise StorageError(
            f"cannot write sequences for MMseqs2 to {path.parent}: {error.strerror}. Set TMPDIR to "
            "a folder with space"
        ) from error


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
            said = _output(process)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    if process.returncode == 0:
        return
    if NO_WORDS in said:
        raise NothingToIndex
    last = "\n  ".join(said.strip().splitlines()[-SHOWN_LINES:])
    raise PeftideError(
        f"MMseqs2 ended with code {process.returncode}:\n  {last}\n"
        "To search without MMseqs2, use the tool `pyopal`, which comes with peftide"
    )


def _output(process: subprocess.Popen[str]) -> str:
    """Return the output of a program at its end; until then, say now and then that it runs."""
    started = time.monotonic()
    while True:
        try:
            return process.communicate(timeout=SECONDS_BETWEEN_LINES)[0]
        except subprocess.TimeoutExpired:
            logger.info("MMseqs2 is searching: %s so far", duration(time.monotonic() - started))


def _read_hits(path: Path, *, tool: str) -> Hits:
    found = pd.read_csv(path, sep="\t", names=list(COLUMNS), dtype=np.float64)
    found = found.drop_duplicates(["query", "target"])
    ends = [found[name].to_numpy(np.int64) for name in COLUMNS[:2]]
    return Hits(*ends, *(found[name].to_numpy(np.float64) for name in COLUMNS[2:]), tool=tool)
