"""Alignments of corpus sequences in; counts of amino acids at each place in relatives out.

A hidden residue has one right answer, which is mostly noise. The residues of relatives show the
residues that a place allows, at every place, hidden or not.
"""

import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from peftide.errors import InputError
from peftide.files import file_hash, reserve_space, write_json, written_whole
from peftide.pretraining.corpus import Corpus, file_sizes, holds
from peftide.pretraining.sampling import Rows
from peftide.sequences.accessions import accession
from peftide.sequences.text_files import open_lines
from peftide.types import ByteArray, FloatArray, IntArray

logger = logging.getLogger(__name__)

COLUMNS = "query,target,qstart,tstart,cigar"
"""Columns of the table of alignments, as for `--format-output` of MMseqs2."""
MOST_RELATIVES = 255
"""Only the first alignments of a query count, because counts are bytes."""
RECORD = "profiles.json"
CIGAR = re.compile(r"(\d{1,18})([MID])")


@dataclass(frozen=True)
class Profiles:
    """Counts of each amino acid at each place of a sequence in its relatives.

    Attributes
    ----------
    counts
        Memory-mapped. Shape (R, 20), one byte each.
    begins
        Row of `counts` of the first residue of each corpus sequence; −1 if it has no relatives.
        Shape (P,).
    record
        Numbers of alignments counted and left out.
    """

    counts: ByteArray
    begins: IntArray
    record: dict[str, int]

    def of(self, rows: Rows) -> FloatArray:
        """Return the counts at each token, 0 if there are none. Shape (B, T, 20)."""
        found = np.zeros((*rows.piece.shape, self.counts.shape[1]), dtype=np.float32)
        for number, place in rows.residues_of_pieces():
            begin = self.begins[rows.sequences[number]]
            if begin >= 0:
                first = begin + rows.starts[number]
                piece = found[place]
                piece[:] = self.counts[first : first + len(piece)]
        return found


def open_profiles(
    folder: Path, alignments: Path, corpus: Corpus, *, training: IntArray, columns: IntArray
) -> Profiles:
    """Return the profiles in a folder; count them first if they are not there.

    Parameters
    ----------
    alignments
        Table of `COLUMNS`: places from 1, M/I/D, `I` for query residues that the target lacks.
    training
        Sequences that count; held-out ones neither count nor get a profile. Shape (M,).
    columns
        Token ids of the 20 amino acids. Shape (20,).

    Raises
    ------
    InputError
        If the table has another form, or no alignment between two training sequences.
    StorageError
        If the folder cannot be written.
    """
    used = hashlib.sha256("\n".join(corpus.ids).encode())
    used.update(corpus.tokens.data)
    used.update(training.tobytes())
    key = {"alignments": file_hash(alignments), "corpus": used.hexdigest()}
    key |= {"columns": columns.tolist()}
    if not holds(folder / RECORD, key):
        numbers = _numbers(corpus, training)
        with written_whole(folder) as partial:
            partial.mkdir(parents=True)
            begins = _lay_out(alignments, numbers, corpus.lengths)
            np.save(partial / "begins.npy", begins)
            shape = (int(corpus.lengths[begins >= 0].sum()), len(columns))
            counts = np.lib.format.open_memmap(
                partial / "counts.npy", mode="w+", dtype=np.uint8, shape=shape
            )
            reserve_space(partial / "counts.npy")
            record = _count(
                alignments, numbers, corpus, columns=columns, begins=begins, into=counts
            )
            counts.flush()
            content = {"key": key, "counts": record, "sizes": file_sizes(partial / RECORD)}
            write_json(partial / RECORD, content)
    return Profiles(
        counts=np.load(folder / "counts.npy", mmap_mode="r"),
        begins=np.load(folder / "begins.npy"),
        record=json.loads((folder / RECORD).read_text(encoding="utf-8"))["counts"],
    )


def _numbers(corpus: Corpus, training: IntArray) -> dict[str, int]:
    """Return the place in the corpus of each training sequence, by name."""
    numbers = {accession(corpus.ids[index]): int(index) for index in training}
    if len(numbers) < len(training):
        names = Counter(accession(corpus.ids[index]) for index in training)
        raise InputError(
            f"{names.most_common(1)[0][0]} is the id of several sequences",
            expected="ids that --alignments can tell apart",
            where="--sequences",
        )
    return numbers


class _Alignment(NamedTuple):
    query: int
    target: int
    start: str
    target_start: str
    cigar: str
    where: str


def _alignments(
    path: Path, numbers: Mapping[str, int], left_out: Counter[str] | None = None
) -> Iterator[_Alignment]:
    """Yield the alignments of two training sequences."""
    for number, line in enumerate(open_lines(path), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 5:
            raise _misfit(f"{len(words)} columns: {line[:80]}", f"{path}:{number}")
        query, target = (numbers.get(accession(word)) for word in words[:2])
        if query is None or target is None:
            if left_out is not None:
                left_out["other_ids"] += 1
        elif query != target:
            yield _Alignment(query, target, *words[2:], where=f"{path}:{number}")


def _lay_out(path: Path, numbers: Mapping[str, int], lengths: IntArray) -> IntArray:
    """Return `begins`: the queries that have relatives, one after the other."""
    queries = sorted({alignment.query for alignment in _alignments(path, numbers)})
    if not queries:
        raise InputError(
            f"{path} has no alignment between two of the {len(numbers):,} training sequences",
            expected=f"columns {COLUMNS}, with the ids of --sequences",
            where="--alignments",
        )
    begins = np.full(len(lengths), -1)
    begins[queries] = np.cumsum(lengths[queries]) - lengths[queries]
    return begins


def _count(
    path: Path,
    numbers: Mapping[str, int],
    corpus: Corpus,
    *,
    columns: IntArray,
    begins: IntArray,
    into: ByteArray,
) -> dict[str, int]:
    """Count the amino acids at each place of each query; return the numbers of alignments."""
    counts = into.view(np.ndarray)  # a memory map is slow to slice
    column_of = np.full(256, -1)
    column_of[columns] = np.arange(len(columns))
    counted: Counter[int] = Counter()
    left_out = Counter(other_ids=0, beyond_the_first_255=0)
    for alignment in _alignments(path, numbers, left_out):
        query, target = alignment.query, corpus.residues(alignment.target)
        if counted[query] >= MOST_RELATIVES:
            left_out["beyond_the_first_255"] += 1
            continue
        counted[query] += 1
        length = len(corpus.residues(query))
        try:
            start, target_start = int(alignment.start), int(alignment.target_start)
            places, others = aligned_places(
                start, target_start, alignment.cigar, lengths=(length, len(target))
            )
        except ValueError as error:
            raise _misfit(str(error), alignment.where) from error
        profile = counts[begins[query] : begins[query] + length]
        column = column_of[target[others]]
        standard = column >= 0
        profile[places[standard], column[standard]] += 1
    record = {"sequences": len(counted), "alignments": counted.total(), **left_out}
    logger.info(
        "profiles: %s sequences, %s alignments (%s of other or held-out ids, %s beyond the first "
        "255 of a sequence)",
        *(f"{value:,}" for value in record.values()),
    )
    return record


def aligned_places(
    start: int, other: int, cigar: str, *, lengths: tuple[int, int]
) -> tuple[IntArray, IntArray]:
    """Return the aligned places of query and target, from 0. Shape (N,) each.

    Parameters
    ----------
    start, other
        First aligned place of query and target, from 1.
    lengths
        Residues of query and target.

    Raises
    ------
    ValueError
        If the CIGAR has other letters than M, I and D, or runs past the end of a sequence.

    Examples
    --------
    >>> places, others = aligned_places(2, 1, "2M1I1M1D", lengths=(6, 4))
    >>> places.tolist(), others.tolist()
    ([1, 2, 4], [0, 1, 2])
    """
    steps = [(int(size), kind) for size, kind in CIGAR.findall(cigar)]
    if rest := CIGAR.sub("", cigar):
        raise ValueError(
            f"the CIGAR has {rest[:20]!r}; expected only numbers followed by M, I or D"
        )
    for first, length, idle, name in (
        (start, lengths[0], "D", "query"),
        (other, lengths[1], "I", "target"),
    ):
        last = first - 1 + sum(size for size, kind in steps if kind != idle)
        if first < 1 or last > length:
            raise ValueError(
                f"positions {first} to {last} of the {name}, which has {length} residues"
            )
    place, other_place = start - 1, other - 1
    places, others = [], []
    for size, kind in steps:
        if kind == "M":
            places.append(np.arange(place, place + size))
            others.append(np.arange(other_place, other_place + size))
        place += size if kind != "D" else 0
        other_place += size if kind != "I" else 0
    if not places:
        raise ValueError("the CIGAR aligns nothing (no M)")
    return np.concatenate(places), np.concatenate(others)


def _misfit(received: str, where: str) -> InputError:
    return InputError(
        received,
        expected=f"five columns {COLUMNS} of alignments of --sequences, as "
        f"`mmseqs easy-search --format-output {COLUMNS}` writes them",
        where=where,
    )
