"""FASTA files in; one memory-mapped file of token ids out, written once and reused."""

import json
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from peftide.errors import InputError
from peftide.files import file_hash, write_json, written_whole
from peftide.saved import read_object
from peftide.sequences import Finding, stream_fasta
from peftide.sequences.cluster_tables import cluster_numbers
from peftide.sequences.text_files import open_lines
from peftide.types import ByteArray, IntArray

logger = logging.getLogger(__name__)

RECORD = "corpus.json"
FORMAT_VERSION = 1
MIN_CROP = 30
"""Residues of the shortest crop. Less room at the end of a row stays empty."""


@dataclass(frozen=True)
class Corpus:
    """Token ids of many sequences, end to end on disk, without special tokens.

    Attributes
    ----------
    tokens
        All residues. Shape (R,), one byte each, memory-mapped.
    offsets
        Start of each sequence, and the end of the last. Shape (P + 1,).
    clusters
        Cluster number of each sequence. Without a table, each sequence is a cluster. Shape (P,).
    ids
        Ids in corpus order.
    record
        Counts of sequences read and left out.
    """

    tokens: ByteArray
    offsets: IntArray
    clusters: IntArray
    ids: tuple[str, ...]
    record: dict[str, Any]

    @property
    def lengths(self) -> IntArray:
        """Residues of each sequence. Shape (P,)."""
        return np.diff(self.offsets)

    def residues(self, index: int) -> ByteArray:
        """Token ids of one sequence."""
        return self.tokens[self.offsets[index] : self.offsets[index + 1]]


@dataclass(frozen=True)
class CorpusFiles:
    """The files of a corpus.

    Attributes
    ----------
    sequences
        FASTA files, plain, .gz or .xz.
    exclude
        Text file whose first column names ids to leave out.
    clusters
        Table `representative member` without header, as MMseqs2 writes it.
    min_length
        Shorter sequences are left out.
    """

    sequences: tuple[Path, ...]
    exclude: Path | None = None
    clusters: Path | None = None
    min_length: int = 30

    def paths(self) -> list[Path]:
        """All files."""
        return [*self.sequences, *(p for p in (self.exclude, self.clusters) if p is not None)]


def open_corpus(folder: Path, files: CorpusFiles, letter_ids: IntArray) -> Corpus:
    """Return the tokenised corpus in a folder; tokenise the files first if it is not there.

    Raises
    ------
    InputError
        If a file cannot be read, or no sequence is left.
    StorageError
        If the folder cannot be written.
    """
    key = {
        "format_version": FORMAT_VERSION,
        "sequences": [file_hash(path) for path in files.sequences],
        "exclude": None if files.exclude is None else file_hash(files.exclude),
        "clusters": None if files.clusters is None else file_hash(files.clusters),
        "min_length": files.min_length,
        "letter_ids": letter_ids.tolist(),
    }
    if not holds(folder / RECORD, key):
        with written_whole(folder) as partial:
            partial.mkdir(parents=True)
            _write(partial, files, letter_ids, key=key)
    return _read(folder)


def holds(record: Path, key: Mapping[str, Any]) -> bool:
    """Return whether a record has this key and its files their size, so they can be reused."""
    if not record.exists():
        return False
    try:
        found = read_object(record)
    except InputError as error:
        logger.warning("%s; the folder is rebuilt", error)
        return False
    return found.get("key") == key and found.get("sizes") == file_sizes(record)


def file_sizes(record: Path) -> dict[str, int]:
    """Return the size of each file beside a record."""
    files = (path for path in sorted(record.parent.iterdir()) if path.is_file())
    return {path.name: path.stat().st_size for path in files if path != record}


def _read(folder: Path) -> Corpus:
    return Corpus(
        tokens=np.memmap(folder / "tokens.u8", dtype=np.uint8, mode="r"),
        offsets=np.load(folder / "offsets.npy"),
        clusters=np.load(folder / "clusters.npy"),
        ids=tuple((folder / "ids.txt").read_text(encoding="utf-8").splitlines()),
        record=json.loads((folder / RECORD).read_text(encoding="utf-8"))["counts"],
    )


def _write(
    folder: Path, files: CorpusFiles, letter_ids: IntArray, *, key: Mapping[str, Any]
) -> None:
    table = letter_ids.astype(np.uint8)
    excluded = set() if files.exclude is None else set(first_column(files.exclude))
    ids: list[str] = []
    lengths: list[int] = []
    skipped = {"excluded": 0, "too_short": 0}
    findings: list[Finding] = []
    with (folder / "tokens.u8").open("wb") as stream:
        for name, sequence in _sequences(files.sequences, findings):
            if name in excluded:
                skipped["excluded"] += 1
            elif len(sequence) < files.min_length:
                skipped["too_short"] += 1
            else:
                stream.write(table[np.frombuffer(sequence.encode("ascii"), np.uint8)].tobytes())
                ids.append(name)
                lengths.append(len(sequence))
    _require_sequences(ids, files)
    clusters = cluster_numbers(ids, files.clusters)
    np.save(folder / "offsets.npy", np.concatenate([[0], np.cumsum(lengths)]))
    np.save(folder / "clusters.npy", clusters)
    (folder / "ids.txt").write_text("\n".join(ids) + "\n", encoding="utf-8")
    counts = {"sequences": len(ids), "residues": sum(lengths), **skipped}
    counts |= {"clusters": int(clusters.max()) + 1, "findings": [asdict(f) for f in findings]}
    logger.info(
        "corpus: %s sequences, %s residues, %s clusters (%s excluded, %s too short)",
        *(f"{counts[name]:,}" for name in ("sequences", "residues", "clusters", *skipped)),
    )
    write_json(
        folder / RECORD, {"key": key, "counts": counts, "sizes": file_sizes(folder / RECORD)}
    )


def _sequences(paths: Iterable[Path], findings: list[Finding]) -> Iterator[tuple[str, str]]:
    for path in paths:
        findings += yield from stream_fasta(path)


def _require_sequences(ids: Sequence[str], files: CorpusFiles) -> None:
    if not ids:
        raise InputError(
            "no sequence is left to train on",
            expected=f"sequences of at least {files.min_length} residues that are not excluded",
            where="--sequences",
        )


def first_column(path: Path) -> Iterator[str]:
    """Yield the first word of each line."""
    for line in open_lines(path):
        words = line.split(maxsplit=1)
        if words:
            yield words[0]
