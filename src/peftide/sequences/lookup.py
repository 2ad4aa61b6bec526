"""A table that names proteins by id comes in; it goes out with their sequences."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from peftide.errors import InputError, raise_problems
from peftide.sequences.accessions import accession
from peftide.sequences.fasta import read_fasta_records
from peftide.sequences.letters import SequenceCleaner
from peftide.sequences.records import MAPPING, Finding, Proteins, place
from peftide.sequences.tables import Table
from peftide.sequences.tallies import Tally, row_findings
from peftide.types import BoolArray, IntArray

ABSENT = -1
SHOWN_IDS = 2


@dataclass(frozen=True)
class SequenceLookup:
    """Sequences by id, or by UniProt accession if the id is unknown.

    Attributes
    ----------
    path
        The FASTA file, or "sequences", for messages.
    proteins
        The proteins.
    findings
        Repaired or repeated records.
    """

    path: Path
    proteins: Proteins
    findings: tuple[Finding, ...] = ()

    @cached_property
    def _by_id(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.proteins.ids)}

    @cached_property
    def _by_accession(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, name in enumerate(self.proteins.ids):
            found.setdefault(accession(name), []).append(index)
        return found

    def candidates(self, name: str) -> list[int]:
        """Index of the protein with this id, else of all distinct ones with its accession."""
        if name in self._by_id:
            return [self._by_id[name]]
        by_sequence: dict[str, int] = {}
        for index in self._by_accession.get(accession(name), []):
            by_sequence.setdefault(self.proteins.sequences[index], index)
        return list(by_sequence.values())

    def fill(
        self, part: str, table: Table, problems: list[str], *, drop: bool
    ) -> tuple[Table, tuple[Finding, ...]]:
        """Table with sequences, and the findings of the lookup.

        Parameters
        ----------
        part
            Name of the part, for the findings.
        table
            Rows that name proteins by id.
        problems
            Gets one sentence for every id without a sequence (unless dropped) or with several.
        drop
            Whether to drop rows with a missing sequence.

        Raises
        ------
        InputError
            If no row is left after dropping.
        """
        named = _Names.of(table)
        found = [self.candidates(name) for name in named.names]
        indices = np.array([(hits or [ABSENT])[0] for hits in found], dtype=np.int64)
        problems.extend(self._ambiguous(named, found))
        if not drop:
            problems.extend(named.problems(indices == ABSENT, path=self.path))
        absent = named.rows_with(indices == ABSENT)
        sequences = np.array(self.proteins.sequences, dtype=object)[indices[named.codes]]
        filled = replace(table, sequences=sequences)
        findings = self._by_accession_findings(part, named, indices)
        if drop and absent.any():
            findings += _dropped(part, table, absent, ids=int((indices == ABSENT).sum()))
            filled = filled.select(~absent)
        if not len(filled):
            raise InputError("no row has a sequence", where=table.path, fix=self.spelling())
        return filled, findings

    def spelling(self) -> str:
        """Sentence with a few ids from the FASTA file as examples."""
        return f"{self.path} has ids such as {', '.join(self.proteins.ids[:SHOWN_IDS])}"

    def _ambiguous(self, named: "_Names", found: list[list[int]]) -> list[str]:
        return [
            f"{named.where(position)}: id {named.names[position]} could be any of "
            f"{', '.join(self.proteins.ids[hit] for hit in hits)}, which have different sequences"
            for position, hits in enumerate(found)
            if len(hits) > 1
        ]

    def _by_accession_findings(
        self, part: str, named: "_Names", indices: IntArray
    ) -> tuple[Finding, ...]:
        tally = Tally("matched_by_accession", "ids found by their UniProt accession")
        for name, index in zip(named.names, indices, strict=True):
            if index != ABSENT and name not in self._by_id:
                tally.add(f"{name} = {self.proteins.ids[index]}")
        return tally.findings(part)


SequenceSource = str | Path | Mapping[str, str] | pd.Series | SequenceLookup
"""All inputs that `sequence_lookup` can read."""


def sequence_lookup(source: SequenceSource) -> SequenceLookup:
    """Return the sequences of a FASTA file, or of a mapping or Series from id to sequence.

    Raises
    ------
    InputError
        If a sequence is invalid, or an id has two sequences.

    Examples
    --------
    >>> sequence_lookup({"P1": "MKV"}).proteins.sequences
    ('MKV',)
    """
    if isinstance(source, SequenceLookup):
        return source
    if isinstance(source, str | Path):
        records = read_fasta_records(Path(source))
        return SequenceLookup(Path(source), records.proteins, records.findings)
    if isinstance(source, pd.DataFrame):
        raise InputError(
            "a DataFrame as sequences",
            expected="a FASTA file, or a mapping or Series from id to sequence",
            fix="For a frame with both columns: frame.set_index('id')['sequence']",
        )
    cleaner = SequenceCleaner(MAPPING)
    cleaned: dict[str, str] = {}
    for row, (key, text) in enumerate(source.items(), start=1):
        if key is None or key is pd.NA or (isinstance(key, float) and math.isnan(key)):
            cleaner.problems.append(f"{place(MAPPING, row)}: the id is missing")
            continue
        name = str(key)
        sequence = cleaner.clean(text if isinstance(text, str) else "", row, name=name)
        if cleaned.setdefault(name, sequence) != sequence:
            cleaner.problems.append(f"{place(MAPPING, row)}: id {name} has two sequences")
    raise_problems(cleaner.problems)
    proteins = Proteins(tuple(cleaned), tuple(cleaned.values()))
    return SequenceLookup(MAPPING, proteins, cleaner.findings())


@dataclass(frozen=True)
class _Names:
    """Distinct ids of a table, the id number of each cell (`codes`, (B, A)), and first rows."""

    table: Table
    names: list[str]
    codes: IntArray
    first_rows: IntArray

    @classmethod
    def of(cls, table: Table) -> "_Names":
        assert table.ids is not None
        codes, names = pd.factorize(table.ids.ravel())
        first_cells = np.unique(codes, return_index=True)[1]
        columns = table.ids.shape[1]
        return cls(table, list(names), codes.reshape(-1, columns), first_cells // columns)

    def where(self, position: int) -> str:
        return self.table.where(int(self.first_rows[position]))

    def rows_with(self, chosen: BoolArray) -> BoolArray:
        """Mark the rows that contain one of the chosen ids."""
        return np.any(chosen[self.codes], axis=1)

    def problems(self, absent: BoolArray, *, path: Path) -> list[str]:
        rows = np.bincount(self.codes.ravel(), minlength=len(self.names))
        return [
            f"{self.where(position)}: id {self.names[position]} has no sequence in {path}"
            + (f" ({rows[position]:,} times in this table)" if rows[position] > 1 else "")
            for position in np.flatnonzero(absent).tolist()
        ]


def _dropped(part: str, table: Table, absent: BoolArray, *, ids: int) -> tuple[Finding, ...]:
    decision = f"rows dropped, because {ids:,} of their ids have no sequence"
    return row_findings(part, "missing_sequences", absent, where=table.where, decision=decision)
