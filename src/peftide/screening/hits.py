"""Kept pairs by place → a Parquet file with ids, scores and probabilities."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from peftide.types import FloatArray, IntArray

WRITTEN_BY, COMMAND = "written_by", "peftide screen"
"""Note in the file, by which a later call recognises it as its own output."""
SCREEN = "screen"
"""Note in a shard of a folder: the screen that it is from."""


@dataclass(frozen=True)
class Hits:
    """How kept pairs are written.

    Attributes
    ----------
    names, partners
        Ids by place.
    probabilities
        Logits → probabilities.
    known
        Codes `a * len(partners) + b` of known pairs, for a column `known`; None for none.
    note
        The screen that a shard is from.
    """

    names: np.ndarray
    partners: np.ndarray
    probabilities: Callable[[FloatArray], FloatArray]
    known: IntArray | None = None
    note: str = ""

    def write(self, tables: Iterable[pd.DataFrame], path: Path) -> int:
        """Write tables of places `a`, `b` and logits `score`; return the number of rows."""
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        columns = [("id_a", pa.string()), ("id_b", pa.string())]
        columns += [("score", pa.float64()), ("probability", pa.float64())]
        columns += [] if self.known is None else [("known", pa.bool_())]
        notes = {WRITTEN_BY: COMMAND} | ({SCREEN: self.note} if self.note else {})
        schema = pa.schema(columns, metadata=notes)
        count = 0
        with ParquetWriter(path, schema) as writer:
            for table in tables:
                rows = pa.Table.from_pandas(self._named(table), schema=schema, preserve_index=False)
                writer.write_table(rows)
                count += len(table)
        return count

    def _named(self, table: pd.DataFrame) -> pd.DataFrame:
        a, b = table["a"].to_numpy(), table["b"].to_numpy()
        scores = table["score"].to_numpy(dtype=np.float64)
        named: dict[str, Any] = {"id_a": self.names[a], "id_b": self.partners[b], "score": scores}
        named["probability"] = self.probabilities(scores)
        if self.known is not None:
            named["known"] = np.isin(a * len(self.partners) + b, self.known)
        return pd.DataFrame(named)


def is_screen(path: Path) -> bool:
    """Return whether a file has hits that peftide wrote."""
    return _notes(path).get(WRITTEN_BY.encode()) == COMMAND.encode()


def note_of(path: Path) -> str | None:
    """Return the screen that a shard is from; None if it is damaged, or no shard."""
    note = _notes(path).get(SCREEN.encode())
    return None if note is None else note.decode()


def _notes(path: Path) -> dict[bytes, bytes]:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_schema

    try:
        return read_schema(path).metadata or {}
    except (OSError, ArrowException):
        return {}


def count_hits(path: Path) -> int:
    """Return the number of rows of a file."""
    from pyarrow.parquet import read_metadata

    return read_metadata(path).num_rows
