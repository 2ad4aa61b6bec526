"""Alignments of corpus sequences in; what stands at each of their places in relatives out.

A residue that is hidden has one right answer, mostly noise. What stands there in relatives says
which residues the place allows, and says it of every place, hidden or not.
"""

import hashlib
import json
import logging
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from peftide.errors import InputError
from peftide.files import file_hash, write_json, written_whole
from peftide.pretraining.corpus import Corpus, first_column
from peftide.pretraining.sampling import Rows
from peftide.sequences.text_files import open_lines
from peftide.types import ByteArray, FloatArray, IntArray

logger = logging.getLogger(__name__)

COLUMNS = "query,target,qstart,tstart,cigar"
"""Of the table of alignments, as MMseqs2's `--format-output` takes them."""
MOST_RELATIVES = 255
"""Alignments of one query that count, the first ones: counts are bytes."""
RECORD = "profiles.json"
CIGAR = re.compile(r"(\d+)([MID])")


@dataclass(frozen=True)
class Profiles:
    """How often each amino acid stands at each place of some sequences in their relatives.

    Attributes
    ----------
    counts
        Memory-mapped. Shape (R, 20), one byte each.
    begins
        Row of `counts` of the first residue of each corpus sequence; −1 if it has no relatives.
        Shape (P,).
    """

    counts: ByteArray
    begins: IntArray

    def of(self, rows: Rows) -> FloatArray:
        """Return the counts at each token; nought where there are none. Shape (B, T, 20)."""
        found = np.zeros((*rows.piece.shape, self.counts.shape[1]), dtype=np.float32)
        for number, place in rows.residues_of_pieces():
            begin = self.begins[rows.sequences[number]]
            if begin >= 0:
                first = begin + rows.starts[number]
                found[place] = self.counts[first : first + place[1].stop - place[1].start]
        return found


def open_profiles(
    folder: Path, alignments: Path, corpus: Corpus, *, training: IntArray, columns: IntArray
) -> Profiles:
    """Return the profiles in a folder; count them into it first if need be.

    Parameters
    ----------
    alignments
        Table without header of `COLUMNS`: places from 1, M/I/D, `I` for query residues that the
        target lacks.
    training
        Sequences that may count: a held-out one tells nothing, and gets no profile. Shape (M,).
    columns
        Token ids of the 20 amino acids. Shape (20,).

    Raises
    ------
    InputError
        If the table is not of this form, or none of its sequences are trained on.
    StorageError
        If the folder cannot be written.
    """
    used = hashlib.sha256(corpus.offsets.tobytes() + training.tobytes()).hexdigest()
    key = {"alignments": file_hash(alignments), "corpus": used, "columns": columns.tolist()}
    if not _holds(folder, key):
        with written_whole(folder) as partial:
            partial.mkdir(parents=True)
            _write(partial, alignments, corpus, training=training, columns=columns)
            write_json(partial / RECORD, {"key": key})
    return Profiles(
        counts=np.load(folder / "counts.npy", mmap_mode="r"), begins=np.load(folder / "begins.npy")
    )


def _holds(folder: Path, key: dict[str, Any]) -> bool:
    try:
        return json.loads((folder / RECORD).read_text())["key"] == key
    except (OSError, ValueError, KeyError):
        return False


def _write(
    folder: Path, alignments: Path, corpus: Corpus, *, training: IntArray, columns: IntArray
) -> None:
    numbers = {corpus.ids[index]: int(index) for index in training}
    queries = sorted({numbers[name] for name in first_column(alignments) if name in numbers})
    if not queries:
        raise InputError(
            f"{alignments} names none of the {len(numbers):,} sequences that are trained on",
            expected=f"columns {COLUMNS}, with the ids of --sequences",
            where="--alignments",
        )
    ends = np.cumsum(corpus.lengths[queries])
    begins = np.full(len(corpus.ids), -1)
    begins[queries] = ends - corpus.lengths[queries]
    counts = np.lib.format.open_memmap(
        folder / "counts.npy", mode="w+", dtype=np.uint8, shape=(int(ends[-1]), len(columns))
    )
    plain = counts.view(np.ndarray)
    column_of = np.full(256, -1)
    column_of[columns] = np.arange(len(columns))
    counted: Counter[int] = Counter()
    for number, line in enumerate(open_lines(alignments), start=1):
        words = line.split()
        where = f"{alignments}, line {number}"
        if len(words) != 5:
            raise _misfit(line, where)
        query, target = numbers.get(words[0]), numbers.get(words[1])
        if query is None or target is None or query == target:
            continue
        if counted[query] < MOST_RELATIVES:
            counted[query] += 1
            first = begins[query]
            profile = plain[first : first + len(corpus.residues(query))]
            try:
                places, residues = aligned(words, profile, corpus.residues(target))
            except (ValueError, IndexError) as error:
                raise _misfit(line, where) from error
            standard = column_of[residues] >= 0
            profile[places[standard], column_of[residues[standard]]] += 1
    counts.flush()
    np.save(folder / "begins.npy", begins)
    logger.info(
        "profiles: %s sequences, %s alignments", f"{len(counted):,}", f"{counted.total():,}"
    )


def aligned(words: list[str], query: ByteArray, target: ByteArray) -> tuple[IntArray, ByteArray]:
    """Return the places of the query that an alignment covers, and the target's residues there.

    Raises
    ------
    ValueError, IndexError
        If the alignment is no alignment, or leaves either sequence.

    Examples
    --------
    >>> query, target = np.zeros(6, np.uint8), np.array([7, 8, 9, 10], np.uint8)
    >>> places, residues = aligned(["q", "t", "2", "1", "2M1I1M1D"], query, target)
    >>> places.tolist(), residues.tolist()
    ([1, 2, 4], [7, 8, 9])
    """
    place, other = int(words[2]) - 1, int(words[3]) - 1
    steps = CIGAR.findall(words[4])
    if not steps or min(place, other) < 0 or "".join(n + kind for n, kind in steps) != words[4]:
        raise ValueError(words)
    places, residues = [], []
    for size, kind in steps:
        if kind == "M":
            places.append(np.arange(place, place + int(size)))
            residues.append(np.arange(other, other + int(size)))
        place += int(size) if kind != "D" else 0
        other += int(size) if kind != "I" else 0
    if place > len(query) or other > len(target):
        raise IndexError(words)
    return np.concatenate(places), target[np.concatenate(residues)]


def _misfit(line: str, where: str) -> InputError:
    return InputError(
        f"{line[:80]!r}",
        expected=f"an alignment within both sequences, of {COLUMNS} (CIGAR of M, I and D, as "
        f"`mmseqs easy-search --format-output {COLUMNS}` writes)",
        where=where,
    )
