"""The folder of the shards: its record, the shards that are there, and their vectors by id."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from peftide.errors import InputError
from peftide.files import write_json
from peftide.saved import OTHER_KEYS_ALLOWED, read_json
from peftide.sequences import Finding
from peftide.shards.parquet import ShardFooter, ShardForm, read_footer, read_rows
from peftide.shards.sorting import Source, shard_of
from peftide.types import FloatArray

RECORD = "_embeddings.json"
"""Libraries that read a whole folder of Parquet files skip names that begin with `_` or `.`."""
FORMAT_VERSION = 1
UNFINISHED, FINISHED = "unfinished", "finished"
OTHER = "Choose another --out, or remove the folder"


@dataclass(frozen=True)
class ModelCard:
    """The model that makes the vectors.

    Attributes
    ----------
    fingerprint
        Hash of everything but the sequences that determines the vectors.
    settings
        The same for people: backbone, pooling, crop, precision.
    """

    fingerprint: str
    settings: dict[str, Any]

    def difference(self, other: "ModelCard") -> str:
        """Return the settings in which another model differs, as text."""
        names = sorted({*self.settings, *other.settings})
        found = [
            f"{name} {other.settings.get(name)} instead of {self.settings.get(name)}"
            for name in names
            if self.settings.get(name) != other.settings.get(name)
        ]
        return ", ".join(found) or "other weights under the same name"


@dataclass(frozen=True)
class FolderRecord:
    """The content of `_embeddings.json`.

    Attributes
    ----------
    status
        `unfinished` or `finished`.
    shard_size, shards, records
        Sequences wanted in a shard; numbers of shards, and of records in the FASTA file.
    rows
        Number of rows of a finished folder.
    findings
        Repaired and repeated records; of a finished folder also cropped sequences and unknown
        residues.
    """

    __pydantic_config__ = OTHER_KEYS_ALLOWED

    format_version: int
    command: str
    status: str
    model: ModelCard
    form: ShardForm
    source: Source
    shard_size: int
    shards: int
    records: int
    rows: int | None
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class ShardFolder(Mapping[str, FloatArray]):
    """A folder of embeddings: id → vector (D,), or (L, D) per residue.

    It reads the files anew each time, so memory stays flat. To look up many ids, go through
    `items()` once, or read the files with a library for Parquet.
    """

    path: Path
    record: FolderRecord

    def shard(self, number: int) -> Path:
        """Return the file of a shard."""
        return self.path / f"shard-{number:05d}.parquet"

    def missing(self, numbers: Sequence[int]) -> list[int]:
        """Return the shards that are not there, or are damaged.

        Raises
        ------
        InputError
            If a shard is from another model, or from other sequences.
        """
        there = {path.name for path in self.path.glob("shard-*.parquet")}
        return [
            number
            for number in numbers
            if self.shard(number).name not in there or self.footer(number) is None
        ]

    def footer(self, number: int) -> ShardFooter | None:
        """Return the end of a shard; None if it is damaged.

        Raises
        ------
        InputError
            If it is from another model, or from other sequences.
        """
        path = self.shard(number)
        footer = read_footer(path)
        if footer is None:
            return None
        made = footer.note
        if made["fingerprint"] != self.record.model.fingerprint:
            other = ModelCard(made["fingerprint"], made["settings"])
            raise InputError(
                f"this shard is from another model: {self.record.model.difference(other)}",
                where=path,
                fix="Remove it to make it again, or choose another --out",
            )
        if made["source"] != self.record.source.sha256 or made["shards"] != self.record.shards:
            raise InputError(
                "this shard is from other sequences, or from another number of shards",
                where=path,
                fix="Remove it to make it again, or choose another --out",
            )
        return footer

    def vectors_of(self, codes: Collection[bytes]) -> Iterator[tuple[bytes, FloatArray]]:
        """Yield hash and vectors of the sequences with these hashes, shape (1, D) or (L, D).

        Only shards that can hold one are read. A sequence with several ids comes several
        times.
        """
        numbers = {shard_of(code, self.record.shards) for code in codes}
        for number in sorted(numbers):
            path = self.shard(number)
            if self.footer(number) is None:  # not made yet
                continue
            for code, vectors in read_rows(path, self.record.form, columns=("sequence_hash",)):
                hashed = bytes.fromhex(code)
                if hashed in codes:
                    yield hashed, vectors.reshape(-1, self.record.form.width)

    def note(self, number: int, findings: Sequence[Finding]) -> dict[str, Any]:
        """Return the note of a shard."""
        return {
            "format_version": FORMAT_VERSION,
            **asdict(self.record.model),
            "source": self.record.source.sha256,
            "shard": number,
            "shards": self.record.shards,
            "findings": [asdict(finding) for finding in findings],
        }

    def __len__(self) -> int:
        """Return the number of rows."""
        if self.record.rows is not None:
            return self.record.rows
        footers = (read_footer(path) for path in self._paths())
        return sum(footer.rows for footer in footers if footer is not None)

    def __iter__(self) -> Iterator[str]:
        """Return the ids, shard after shard."""
        return (name for name, _ in self._rows())

    def __getitem__(self, name: str) -> FloatArray:
        """Return the vector of an id."""
        for found, vector in self._rows():
            if found == name:
                return vector
        raise KeyError(name)

    def items(self) -> Any:
        """Return pairs of id and vector, shard after shard."""
        return self._rows()

    def values(self) -> Any:
        """Return the vectors, shard after shard."""
        return (vector for _, vector in self._rows())

    def _rows(self) -> Iterator[tuple[str, FloatArray]]:
        for path in self._paths():
            yield from read_rows(path, self.record.form)

    def _paths(self) -> list[Path]:
        return sorted(self.path.glob("shard-*.parquet"))


def is_shard_folder(path: Path) -> bool:
    """Return whether a folder has the record of `peftide embed`."""
    return (path / RECORD).is_file()


def open_folder(path: Path) -> ShardFolder:
    """Open a folder.

    Raises
    ------
    InputError
        If its record is missing or damaged.
    """
    fix = "Restore it from a copy, or remove the folder"
    return ShardFolder(path, read_json(path / RECORD, FolderRecord, fix=fix))


def write_record(folder: ShardFolder) -> None:
    """Write the record of a folder."""
    write_json(folder.path / RECORD, json.loads(json.dumps(asdict(folder.record))))


def check_source(folder: ShardFolder, source: Path, *, size: int) -> None:
    """Make sure that a folder is about a FASTA file.

    Raises
    ------
    InputError
        If it is about another one, or has shards of another size.
    """
    found = folder.record
    if not found.source.is_at(source):
        raise InputError(
            f"{folder.path} holds embeddings of another file, {found.source.name}",
            expected=f"embeddings of {source}",
            where="--out",
            fix=OTHER,
        )
    if found.shard_size != size:
        raise InputError(
            f"received {size:,}",
            expected=f"{found.shard_size:,}, with which {folder.path} was begun",
            where="--shard-size",
        )


def check_model(folder: ShardFolder, model: ModelCard, form: ShardForm) -> None:
    """Make sure that a folder is filled by a model.

    Raises
    ------
    InputError
        Names the difference.
    """
    found = folder.record
    if found.form != form:
        raise InputError(
            f"{folder.path} holds {_described(found.form)}",
            expected=_described(form),
            where="--out",
            fix=OTHER,
        )
    if found.model.fingerprint != model.fingerprint:
        raise InputError(
            f"{folder.path} holds embeddings of another model: {model.difference(found.model)}",
            where="--out",
            fix=OTHER,
        )


def _described(form: ShardForm) -> str:
    unit = "vectors per residue" if form.per_residue else "vectors"
    return f"{unit} of {form.width} {form.number_type} numbers"
