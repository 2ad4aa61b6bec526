"""Sequences come in; for each query, targets that share more words than by chance go out.

A word is a run of four residues, or of five letters in a reduced alphabet that merges residues
that often replace each other. The shared words of a pair are weighted by their rarity and compared
with the number expected by chance for two sequences with as many words.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.sparse import csr_array

from peftide.types import FloatArray, IntArray

Alphabet = Sequence[str]
"""Groups of residues; each group is one letter of the reduced alphabet."""

EXACT: Alphabet = "ACDEFGHIKLMNPQRSTVWY"
REDUCED: Alphabet = ("A", "C", "D", "EQ", "FY", "G", "H", "IV", "KR", "LM", "N", "P", "ST", "W")
WORDS = ((EXACT, 4), (REDUCED, 5))
BLOCK_CELLS = 2**22
"""Number of pairs whose shared words are counted at a time."""


def promising_targets(
    queries: Sequence[str], targets: Sequence[str], *, most: int
) -> Iterator[IntArray]:
    """Yield, for each query, at most `most` targets worth aligning, the most promising first.

    If there are at most `most` targets, all are yielded, in ascending order.
    """
    if len(targets) <= most:
        yield from (np.arange(len(targets)) for _ in queries)
        return
    counts = [
        _SharedWords(queries, targets, alphabet=alphabet, length=length)
        for alphabet, length in WORDS
    ]
    step = max(1, BLOCK_CELLS // len(targets))
    for start in range(0, len(queries), step):
        first, second = (count.surplus(start, start + step) for count in counts)
        promise = first + second
        best = np.argpartition(promise, -most, axis=1)[:, -most:]
        order = np.argsort(-np.take_along_axis(promise, best, axis=1), axis=1, kind="stable")
        yield from np.take_along_axis(best, order, axis=1)


class _SharedWords:
    """Rarity-weighted shared words of queries and targets, for one kind of words."""

    def __init__(
        self, queries: Sequence[str], targets: Sequence[str], *, alphabet: Alphabet, length: int
    ) -> None:
        theirs = _words(targets, alphabet, length)
        mine = theirs.copy() if queries == targets else _words(queries, alphabet, length)
        carriers = np.asarray(theirs.sum(axis=0))
        rarity = np.log((len(targets) + 1) / (carriers + 1)).astype(np.float32)
        self._queries = mine
        mine.data *= rarity[mine.indices]
        self._carriers = theirs.tocsc()
        self._query_sums = np.asarray(self._queries.sum(axis=1))
        self._target_sums = theirs @ rarity
        together = float(np.asarray(self._queries.sum(axis=0)) @ carriers)
        by_sums = float(self._query_sums.sum()) * float(self._target_sums.sum())
        self._share = together / by_sums if by_sums else 0.0
        self._typical_rarity = float(rarity.mean())

    def surplus(self, start: int, stop: int) -> FloatArray:
        """Shared words per pair, in standard deviations above chance. Shape (Q, T)."""
        sums = self._query_sums[start:stop].astype(np.float32)
        shared = np.empty((len(sums), len(self._target_sums)), dtype=np.float32)
        for row in range(len(sums)):
            shared[row] = self._shared(start + row)
        expected = np.outer(sums, self._target_sums.astype(np.float32))
        expected *= self._share
        shared -= expected
        expected *= self._typical_rarity
        expected += 1
        shared /= np.sqrt(expected, out=expected)
        return shared

    def _shared(self, query: int) -> FloatArray:
        """Sum of the rarities of the words that a query shares with each target. Shape (T,).

        This is a row of a product of sparse matrices, in a fifth of the time: the targets that
        carry each word lie side by side.
        """
        entries = slice(self._queries.indptr[query], self._queries.indptr[query + 1])
        words, rarity = self._queries.indices[entries], self._queries.data[entries]
        first = self._carriers.indptr[words]
        counts = self._carriers.indptr[words + 1] - first
        places = np.arange(counts.sum()) + np.repeat(first - np.cumsum(counts) + counts, counts)
        carriers = self._carriers.indices[places]
        weights = np.repeat(rarity, counts)
        return np.bincount(carriers, weights, len(self._target_sums)).astype(np.float32)


def _words(sequences: Sequence[str], alphabet: Alphabet, length: int) -> csr_array:
    """Words of each sequence: 1 if the sequence contains it. Shape (sequences, words)."""
    letters = np.full(256, -1, dtype=np.int64)
    for number, residues in enumerate(alphabet):
        letters[np.frombuffer(residues.encode("ascii"), np.uint8)] = number
    text = letters[np.frombuffer("".join(sequences).encode("ascii"), np.uint8)]
    owners = np.repeat(np.arange(len(sequences)), [len(sequence) for sequence in sequences])
    shape = (len(sequences), len(alphabet) ** length)
    starts = len(text) - length + 1
    if starts < 1:
        return csr_array(shape, dtype=np.float32)
    codes = np.zeros(starts, dtype=np.int64)
    whole = owners[:starts] == owners[length - 1 :]
    for offset in range(length):
        letter = text[offset : offset + starts]
        codes = codes * len(alphabet) + letter
        whole &= letter >= 0
    found = csr_array(
        (np.ones(int(whole.sum()), dtype=np.float32), (owners[:starts][whole], codes[whole])),
        shape=shape,
    )
    found.sum_duplicates()
    found.data[:] = 1
    return found
