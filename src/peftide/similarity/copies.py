"""Near-copies: sequences of one length that differ from a representative in few residues.

Mutational scans have thousands of variants of one protein. Comparing all with
each other says nothing new, so a search compares only their representatives with other sequences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from peftide.similarity.hits import Hits, hits_of
from peftide.similarity.settings import SimilaritySettings
from peftide.similarity.smith_waterman import ASCII, Alignments, known_letters, substitution_scores
from peftide.types import ByteArray, FloatArray, IntArray

NEAR = 0.95
"""Share of identical residues, at equal length, from which two sequences are near-copies."""

MOST_TRIED = 100
"""Representatives that are tried per length. Sequences without one represent themselves."""


@dataclass(frozen=True)
class Copies:
    """Sequences and their representatives; every near-copy is similar to its representative.

    Attributes
    ----------
    sequences
        Distinct sequences. Length P.
    of
        Representative of each sequence; a sequence may represent itself. Shape (P,).
    """

    sequences: Sequence[str]
    of: IntArray

    @cached_property
    def representatives(self) -> IntArray:
        """The sequences that represent themselves and others, in ascending order."""
        return np.unique(self.of)

    def texts(self) -> list[str]:
        """Return the sequences of the representatives."""
        return [self.sequences[number] for number in map(int, self.representatives)]

    def settings(self, settings: SimilaritySettings) -> SimilaritySettings:
        """Return settings for a search in the representatives alone.

        E-values grow with the number of residues that are searched, so the limit shrinks with it.
        """
        lengths = np.array([len(sequence) for sequence in self.sequences])
        share = lengths[self.representatives].sum() / max(int(lengths.sum()), 1)
        return replace(settings, max_evalue=settings.max_evalue * float(share) or 1e-300)

    def closest(self, queries: "Copies", hits: Hits, settings: SimilaritySettings) -> Hits:
        """Return hits of representatives as hits of all queries, each with its closest target.

        A query as long as its target gets the near-copy with the best score without gaps, if its
        alignment scores more than the representative's.

        Parameters
        ----------
        queries
            Queries of the hits, by number of the sequence, and their near-copies.
        hits
            At most one hit for each representative. Targets are sequences of this object.
        """
        search = Alignments.of(self.sequences, settings)
        rows, group, held = [], None, -1
        order = np.lexsort((hits.query, hits.target))
        for row in order.tolist():
            own, target = int(hits.query[row]), int(hits.target[row])
            if group is None or target != held:
                group, held = self._group(target), target
            for number in np.flatnonzero(queries.of == own).tolist():
                query = known_letters(queries.sequences[number])
                found = [hits.row(row)] if number == own else [search.hit(query, target)]
                if len(group.members) > 1 and len(query) == group.length:
                    found.append(search.hit(query, group.nearest(query)))
                best = max(found, key=lambda hit: hit[-1])
                if settings.accepts(*best[1:4]):
                    rows.append((number, *best))
        return hits_of(rows, tool=hits.tool)

    def _group(self, representative: int) -> "_Group":
        members = np.flatnonzero(self.of == representative)
        texts = [self.sequences[number] for number in members.tolist()]
        return _Group(
            members,
            _letters([known_letters(text) for text in texts]),
            texts.index(self.sequences[representative]),
        )


@dataclass(frozen=True)
class _Group:
    """A representative with its near-copies."""

    members: IntArray
    letters: ByteArray
    first: int

    @property
    def length(self) -> int:
        return self.letters.shape[1]

    def nearest(self, query: str) -> int:
        """Return the member with the highest score, without gaps, for a query of this length."""
        values = substitution_scores()[_letters([query])[0]].ravel()
        return int(self.members[np.argmax(self._gains @ values)])

    @cached_property
    def _gains(self) -> csr_array:
        """Residues that each member has (1) and the representative has instead (-1)."""
        member, place = np.nonzero(self.letters != self.letters[self.first])
        letters = self.letters[self.first, place], self.letters[member, place]
        codes = [place * ASCII + theirs for theirs in letters]
        values: FloatArray = np.repeat(np.array([-1, 1], dtype=np.float32), len(member))
        where = np.tile(member, 2), np.concatenate(codes)
        return csr_array((values, where), shape=(len(self.members), self.length * ASCII))


def find_copies(sequences: Sequence[str], settings: SimilaritySettings) -> Copies:
    """Return the representatives of distinct sequences.

    A near-copy must also be similar by chance statistics: short or repetitive ones may not be.
    """
    of = np.arange(len(sequences))
    search = None
    for first, others in _near(sequences):
        search = search or Alignments.of(sequences, settings)
        of[search.significant(known_letters(sequences[first]), others)] = first
    return Copies(sequences, of)


def _near(sequences: Sequence[str]) -> Iterator[tuple[int, IntArray]]:
    """Yield sequences, each with the later sequences of its length that are near it."""
    lengths = np.array([len(sequence) for sequence in sequences], dtype=np.int64)
    order = np.argsort(lengths, kind="stable")
    if not len(order):
        return
    for places in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        left = _letters([sequences[place] for place in map(int, places)])
        for _ in range(MOST_TRIED):
            if len(left) < 2:
                break
            near = np.count_nonzero(left == left[0], axis=1) >= NEAR * left.shape[1]
            if near.sum() > 1:
                yield int(places[0]), places[near][1:]
            left, places = left[~near], places[~near]


def _letters(sequences: Sequence[str]) -> ByteArray:
    """Return sequences of one length as codes of their letters. Shape (P, L)."""
    codes = np.frombuffer("".join(sequences).encode("ascii"), dtype=np.uint8)
    return codes.reshape(len(sequences), -1)
