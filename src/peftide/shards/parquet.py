"""Rows of sequences → a Parquet file of embeddings, and back."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import numpy as np

from peftide.shards.sorting import digest
from peftide.types import FloatArray

NumberType = Literal["float16", "float32"]
ROW_GROUP_BYTES = 2**26
HASH_BYTES, NUMBER_BYTES = 32, 4
NOTE = b"peftide"
"""Key of the schema metadata whose value is the note of a shard, as JSON."""
PLAIN_COLUMNS = ["id", "sequence_hash", "length"]


@dataclass(frozen=True)
class ShardForm:
    """The columns of a shard.

    Attributes
    ----------
    width
        D.
    number_type
        Number type of the vectors.
    per_residue
        Whether a row has one vector per residue.
    """

    width: int
    number_type: NumberType
    per_residue: bool

    def schema(self, note: Mapping[str, Any]) -> Any:
        """Return the Arrow schema, with a note."""
        import pyarrow as pa

        number = pa.float16() if self.number_type == "float16" else pa.float32()
        vector = pa.list_(pa.field("element", number, nullable=False), self.width)
        columns = [
            pa.field("id", pa.string(), nullable=False),
            pa.field("sequence_hash", pa.string(), nullable=False),
            pa.field("length", pa.int32(), nullable=False),
            pa.field("vector", pa.list_(vector) if self.per_residue else vector),
        ]
        text = json.dumps(note, sort_keys=True, ensure_ascii=False)
        return pa.schema(columns, metadata={NOTE: text.encode()})

    def bytes_of(self, identifier: str, vectors: int) -> int:
        """Return the size of a row."""
        numbers = vectors * self.width * np.dtype(self.number_type).itemsize
        return numbers + len(identifier.encode()) + HASH_BYTES + 3 * NUMBER_BYTES


@dataclass
class _Rows:
    """Rows that wait for their row group."""

    ids: list[str] = field(default_factory=list)
    hashes: list[str] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    vectors: list[FloatArray] = field(default_factory=list)
    size: int = 0


class ShardWriter:
    """Writes a shard row by row; memory holds one row group.

    Parameters
    ----------
    note
        Facts about the shard, as JSON values.
    """

    def __init__(self, path: Path, form: ShardForm, note: Mapping[str, Any]) -> None:
        from pyarrow.parquet import ParquetWriter

        self.form, self.schema = form, form.schema(note)
        self.rows = _Rows()
        options: dict[str, Any] = {
            "compression": dict.fromkeys(PLAIN_COLUMNS, "zstd"),  # vectors hardly shrink
            "write_statistics": PLAIN_COLUMNS,
        }
        self.writer = ParquetWriter(path, self.schema, use_dictionary=False, **options)

    def __enter__(self) -> "ShardWriter":
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Write the last row group, and the end of the file."""
        try:
            if kind is None:
                self._write_group()
        finally:
            self.writer.close()

    def add(self, ids: Sequence[str], sequence: str, vectors: FloatArray) -> None:
        """Add a row for each id of a sequence.

        Parameters
        ----------
        vectors
            Shape (1, D), or (L, D) per residue.
        """
        code = digest(sequence).hex()
        for identifier in ids:
            size = self.form.bytes_of(identifier, len(vectors))
            if self.rows.ids and self.rows.size + size > ROW_GROUP_BYTES:
                self._write_group()
            self.rows.ids.append(identifier)
            self.rows.hashes.append(code)
            self.rows.lengths.append(len(sequence))
            self.rows.vectors.append(vectors)
            self.rows.size += size

    def _write_group(self) -> None:
        import pyarrow as pa

        rows, self.rows = self.rows, _Rows()
        if not rows.ids:
            return
        numbers = np.concatenate(rows.vectors).astype(self.form.number_type)
        kind = self.schema.field("vector").type
        inner = kind.value_type if self.form.per_residue else kind
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(numbers.ravel()), type=inner)
        if self.form.per_residue:
            ends = np.cumsum([0, *map(len, rows.vectors)], dtype=np.int32)
            vectors = pa.ListArray.from_arrays(pa.array(ends), vectors, type=kind)
        columns = [rows.ids, rows.hashes, pa.array(rows.lengths, pa.int32()), vectors]
        table = pa.table(columns, schema=self.schema)
        self.writer.write_table(table, row_group_size=len(rows.ids))


@dataclass(frozen=True)
class ShardFooter:
    """The note of a shard, and its number of rows."""

    note: dict[str, Any]
    rows: int


def read_footer(path: Path) -> ShardFooter | None:
    """Return the end of a shard; None if the file is damaged, or no shard of peftide."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            note = json.loads((file.schema_arrow.metadata or {})[NOTE])
            return ShardFooter(note, file.metadata.num_rows)
    except (OSError, ArrowException, KeyError, ValueError):
        return None


def read_rows(
    path: Path, form: ShardForm, *, columns: Sequence[str] = ("id",)
) -> Iterator[tuple[Any, ...]]:
    """Yield the given columns of each row, then its vectors: (D,), or (L, D) per residue."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=[*columns, "vector"])
            column = table.column("vector").combine_chunks()
            vectors = column.flatten() if form.per_residue else column
            matrix = vectors.flatten().to_numpy(zero_copy_only=False).reshape(-1, form.width)
            counts = column.value_lengths().to_numpy() if form.per_residue else np.ones(len(column))
            ends = np.cumsum(counts, dtype=np.int64)
            blocks = np.split(matrix, ends[:-1]) if len(ends) else []
            names = [table.column(name).to_pylist() for name in columns]
            for *values, block in zip(*names, blocks, strict=True):
                yield *values, (block if form.per_residue else block[0])
