"""A FASTA file of any size → text files of its sequences, one for each shard, in flat memory.

The hash of a sequence chooses its shard. So equal sequences meet in one shard, whatever their ids,
and each shard is a random sample of the file: all shards take about equally long.
"""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from peftide.errors import InputError
from peftide.files import as_file, file_hash, write_json, written_whole
from peftide.progress import meter
from peftide.saved import read_json
from peftide.sequences import Finding, stream_fasta
from peftide.sequences.text_files import count_records

RECORD = "sequences.json"
WAITING_BYTES = 2**28
"""Text that waits in memory, so that each of many files gets a large piece at a time."""
IDS_PER_FILE = 4_000_000
SHOWN_IDS = 3
RECORDS_BETWEEN_REPORTS = 1_000
CODE = np.dtype([("name", "<u8"), ("sequence", "<u8")])
"""Hashes of an id and of its sequence."""


@dataclass(frozen=True)
class Source:
    """A FASTA file. Size and time of a change are compared first, because a hash takes long."""

    name: str
    size: int
    modified: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "Source":
        """Return the record of a file."""
        state = as_file(path).stat()
        return cls(path.name, state.st_size, state.st_mtime_ns, file_hash(path))

    def is_at(self, path: Path) -> bool:
        """Return whether a path holds this file."""
        state = as_file(path).stat()
        if state.st_size != self.size:
            return False
        return state.st_mtime_ns == self.modified or file_hash(path) == self.sha256


@dataclass(frozen=True)
class SortedSequences:
    """The content of `sequences.json`.

    Attributes
    ----------
    source
        The FASTA file.
    size
        Sequences wanted in a shard.
    records
        Number of its records.
    residues
        Residues of the records in each shard. Shape (shards,).
    findings
        Repaired and repeated records.
    """

    source: Source
    size: int
    records: int
    residues: tuple[int, ...]
    findings: tuple[Finding, ...]

    @property
    def shards(self) -> int:
        """Number of shards."""
        return len(self.residues)


def sort_sequences(path: Path, folder: Path, *, size: int, most: int | None) -> SortedSequences:
    """Divide the sequences of a FASTA file among shards, and write a text file for each.

    The whole file is read and checked here, before anything is encoded.

    Parameters
    ----------
    size
        Sequences in a shard, about.
    most
        Highest number of shards, with more sequences in each; None: any number.

    Raises
    ------
    InputError
        If the file is no FASTA file, or an id has two sequences.
    """
    records = count_records(path)
    shards = math.ceil(records / size) or 1
    shards = shards if most is None else min(shards, most)
    with written_whole(folder) as partial:
        partial.mkdir(parents=True)
        files = math.ceil(records / IDS_PER_FILE) or 1
        spread = _Spread(partial, [0] * shards, files)
        findings = spread.read(path, records=records)
        codes = sorted(partial.glob(_codes_name("*")))
        findings += _repeated_ids(codes, path)
        for file in codes:
            file.unlink()
        found = SortedSequences(Source.of(path), size, records, tuple(spread.residues), findings)
        write_json(partial / RECORD, asdict(found))
    return found


def read_sorted(folder: Path) -> SortedSequences | None:
    """Return what an earlier call sorted; None if there is none."""
    path = folder / RECORD
    if not path.is_file():
        return None
    return read_json(path, SortedSequences, fix=f"Remove {folder}: it is made again")


def read_shard(folder: Path, number: int) -> dict[str, list[str]]:
    """Return the distinct sequences of a shard with their ids, by length.

    Sequences of equal length are in the order of their hashes, ids in the order of the FASTA file.
    """
    path = folder / _text_name(number)
    named: dict[str, dict[str, None]] = {}
    if path.is_file():  # a shard of no sequence has no file
        with path.open(encoding="utf-8", newline="\n") as lines:
            for line in lines:
                name, _, sequence = line[:-1].partition("\t")
                named.setdefault(sequence, {})[name] = None
    order = sorted(named, key=lambda sequence: (len(sequence), digest(sequence)))
    return {sequence: list(named[sequence]) for sequence in order}


def digest(text: str) -> bytes:
    """Return the hash of an id or a sequence, which is stored with its vector."""
    return hashlib.sha256(text.encode()).digest()[:16]


def shard_of(code: bytes, shards: int) -> int:
    """Return the shard of a sequence with this hash.

    Examples
    --------
    >>> shard_of(digest("MKV"), 1), shard_of(bytes([0] * 7 + [9]), 4)
    (0, 1)
    """
    return int.from_bytes(code[:8], "big") % shards


class _Spread:
    """Records on their way to the files of their shards.

    Attributes
    ----------
    residues
        Residues of each shard so far.
    """

    def __init__(self, folder: Path, residues: list[int], files: int) -> None:
        self.folder, self.residues, self.files = folder, residues, files
        self.waiting: dict[str, bytearray] = {}
        self.size = 0

    def read(self, path: Path, *, records: int) -> tuple[Finding, ...]:
        """Read a FASTA file into the files; return its findings."""
        findings: list[Finding] = []
        with meter("sorting the sequences", total=max(records, 1), unit="sequences") as done:
            for number, (name, sequence) in enumerate(_records(path, findings), start=1):
                self._add(name, sequence)
                if number % RECORDS_BETWEEN_REPORTS == 0:
                    done.advance(RECORDS_BETWEEN_REPORTS)
        self._write()
        return tuple(findings)

    def _add(self, name: str, sequence: str) -> None:
        own, hashed = digest(sequence), digest(name)
        shard = shard_of(own, len(self.residues))
        self.residues[shard] += len(sequence)
        self._append(_text_name(shard), f"{name}\t{sequence}\n".encode())
        file = shard_of(hashed, self.files)
        self._append(_codes_name(file), hashed[:8] + own[:8])
        if self.size > WAITING_BYTES:
            self._write()

    def _append(self, file: str, content: bytes) -> None:
        self.waiting.setdefault(file, bytearray()).extend(content)
        self.size += len(content)

    def _write(self) -> None:
        for file, content in self.waiting.items():
            with (self.folder / file).open("ab") as stream:
                stream.write(content)
        self.waiting, self.size = {}, 0


def _records(path: Path, findings: list[Finding]) -> Iterator[tuple[str, str]]:
    """Yield id and sequence of each record; add the findings at the end."""
    findings += yield from stream_fasta(path)


def _text_name(shard: int) -> str:
    return f"{shard:05d}.tsv"


def _codes_name(file: object) -> str:
    return f"ids-{file}"


def _repeated_ids(files: list[Path], source: Path) -> tuple[Finding, ...]:
    """Count ids that come again with the same sequence.

    Raises
    ------
    InputError
        If ids come again with another sequence.
    """
    repeats, wrong = 0, set[int]()
    for path in files:
        codes = np.sort(np.fromfile(path, CODE), order=["name", "sequence"])
        again = codes["name"][1:] == codes["name"][:-1]
        same = codes["sequence"][1:] == codes["sequence"][:-1]
        repeats += int((again & same).sum())
        wrong |= set(codes["name"][1:][again & ~same].tolist())
    if wrong:
        raise InputError(
            f"ids with two different sequences: {_named(wrong, source)}",
            expected="an id of its own for each sequence",
            where=source,
        )
    decision = "the sequence is the same: read once"
    found = Finding("sequences", "repeated_ids", repeats, decision)
    return (found,) if repeats else ()


def _named(codes: set[int], source: Path) -> str:
    """Return a few of the ids with these hashes; the file is read again."""
    shown: dict[str, None] = {}
    for name, _ in stream_fasta(source):
        if int.from_bytes(digest(name)[:8], "little") in codes:
            shown[name] = None
        if len(shown) == min(SHOWN_IDS, len(codes)):
            break
    more = f" and {len(codes) - len(shown):,} more" if len(codes) > len(shown) else ""
    return ", ".join(shown) + more
