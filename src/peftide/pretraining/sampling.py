"""A corpus in; rows of crops out, which seed and step determine."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from peftide.pretraining.corpus import MIN_CROP, Corpus
from peftide.tokens import Vocabulary
from peftide.types import BoolArray, ByteArray, FloatArray, IntArray


@dataclass(frozen=True)
class Rows:
    """Rows of T tokens, filled with pieces of sequences that must not see each other.

    Attributes
    ----------
    input_ids
        Token ids, special tokens included. Shape (B, T).
    position_ids
        Restart at every piece. Shape (B, T).
    piece
        Number of the piece of each token; padding has its own number. Shape (B, T).
    is_residue
        Whether a token is a residue (no special token, no padding). Shape (B, T).
    sequences
        Corpus sequence of each piece. Shape (P,).
    starts
        First residue of each piece in its sequence, from 0. Shape (P,).
    """

    input_ids: IntArray
    position_ids: IntArray
    piece: IntArray
    is_residue: BoolArray
    sequences: IntArray
    starts: IntArray

    def residues_of_pieces(self) -> Iterator[tuple[int, tuple[int, slice]]]:
        """Yield each piece's number, its row, and the places of its residues in the row."""
        inside = np.flatnonzero(self.is_residue)
        numbers, first, count = np.unique(
            self.piece.ravel()[inside], return_index=True, return_counts=True
        )
        for number, flat, length in zip(numbers, inside[first], count, strict=True):
            row, start = divmod(int(flat), self.piece.shape[1])
            yield int(number), (row, slice(start, start + int(length)))

    def put(
        self, row: int, start: int, residues: ByteArray, *, piece: int, vocabulary: Vocabulary
    ) -> int:
        """Write a piece into a row, with its special tokens; return its number of tokens."""
        tokens = np.concatenate([vocabulary.prefix, residues, vocabulary.suffix])
        place = slice(start, start + len(tokens))
        self.input_ids[row, place] = tokens
        self.position_ids[row, place] += np.arange(len(tokens))
        self.piece[row, place] = piece
        inside = start + len(vocabulary.prefix)
        self.is_residue[row, inside : inside + len(residues)] = True
        return len(tokens)


@dataclass(frozen=True)
class RowLayout:
    """Size of a batch and the special tokens in it.

    Attributes
    ----------
    rows, row_tokens
        Shape (B, T) of a batch.
    vocabulary
        Gives the special tokens.
    first_position
        Position id of the first token of a piece.
    padding_id
        Token id of padding.
    paired
        Whether rows come in pairs of relatives.
    min_piece
        Residues of the shortest piece: crops have `MIN_CROP` or more, sequences may have fewer.
    """

    rows: int
    row_tokens: int
    vocabulary: Vocabulary
    first_position: int
    padding_id: int
    min_piece: int = MIN_CROP
    paired: bool = False

    @property
    def max_pieces(self) -> int:
        """Most pieces that a batch can hold, padding included."""
        shortest = self.min_piece + self.vocabulary.special_tokens
        return self.rows * (self.row_tokens // shortest + 1)


def empty_rows(layout: RowLayout) -> Rows:
    """Return rows of padding."""
    shape = (layout.rows, layout.row_tokens)
    return Rows(
        input_ids=np.full(shape, layout.padding_id, dtype=np.int64),
        position_ids=np.full(shape, layout.first_position, dtype=np.int64),
        piece=np.full(shape, layout.max_pieces - 1, dtype=np.int64),
        is_residue=np.zeros(shape, dtype=bool),
        sequences=np.zeros(0, dtype=np.int64),
        starts=np.zeros(0, dtype=np.int64),
    )


class RowSampler:
    """Draws sequences with replacement, crops them at random and fills rows with them.

    Parameters
    ----------
    members
        Sequences that may be drawn. Shape (M,).
    weights
        How often, up to a factor. Shape (M,).
    layout
        Size of a batch; with `paired`, every second row begins with a member of the same cluster
        as the row before it, maybe with another crop of the same sequence.
    """

    def __init__(
        self,
        corpus: Corpus,
        members: IntArray,
        *,
        weights: FloatArray,
        layout: RowLayout,
        seed: int,
    ) -> None:
        self.corpus, self.members, self.layout, self.seed = corpus, members, layout, seed
        self._cumulative = np.cumsum(weights) / weights.sum()
        self._by_cluster = members[np.argsort(corpus.clusters[members], kind="stable")]
        self._sorted_clusters = corpus.clusters[self._by_cluster]

    def rows(self, step: int) -> Rows:
        """Return the batch of a step."""
        rng = np.random.default_rng([self.seed, step])
        rows = empty_rows(self.layout)
        drawn: list[tuple[int, int]] = []
        first = 0
        for row in range(self.layout.rows):
            is_second = self.layout.paired and row % 2 == 1
            first = self._relative(first, rng) if is_second else self._draw(rng)
            self._fill(rows, row, first, drawn=drawn, rng=rng)
        sequences, starts = np.array(drawn).T
        return replace(rows, sequences=sequences, starts=starts)

    def _fill(
        self,
        rows: Rows,
        row: int,
        index: int,
        *,
        drawn: list[tuple[int, int]],
        rng: np.random.Generator,
    ) -> None:
        vocabulary, start = self.layout.vocabulary, 0
        room = self.layout.row_tokens - vocabulary.special_tokens
        while room >= MIN_CROP:
            residues = self.corpus.residues(index)
            length = min(len(residues), room)
            first = int(rng.integers(len(residues) - length + 1))
            crop = residues[first : first + length]
            written = rows.put(row, start, crop, piece=len(drawn), vocabulary=vocabulary)
            drawn.append((index, first))
            start += written
            room -= written
            index = self._draw(rng)

    def _draw(self, rng: np.random.Generator) -> int:
        place = np.searchsorted(self._cumulative, rng.random(), side="right")
        return int(self.members[min(place, len(self.members) - 1)])

    def _relative(self, index: int, rng: np.random.Generator) -> int:
        """Draw a member of the same cluster, itself included."""
        cluster = self.corpus.clusters[index]
        start, stop = np.searchsorted(self._sorted_clusters, [cluster, cluster + 1])
        return int(self._by_cluster[rng.integers(start, stop)])


def cluster_weights(clusters: IntArray, power: float) -> FloatArray:
    """Return the weight of each sequence, so that a cluster of n weighs n to the power.

    Parameters
    ----------
    clusters
        Cluster number of each sequence. Shape (P,).
    power
        With 1 all sequences weigh the same, with 0 all clusters.

    Examples
    --------
    >>> cluster_weights(np.array([0, 0, 0, 0, 1]), power=0.5).tolist()
    [0.5, 0.5, 0.5, 0.5, 1.0]
    """
    _, inverse, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    return sizes[inverse] ** (power - 1.0)


def hold_out_clusters(clusters: IntArray, count: int, *, seed: int) -> tuple[IntArray, IntArray]:
    """Split sequences into a training set and whole held-out clusters.

    Parameters
    ----------
    count
        Sequences to hold out, one from each of as many random clusters. The other sequences of
        these clusters are in neither part. At most a tenth of the clusters is held out.

    Returns
    -------
    Training sequences, and held-out ones.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(clusters))
    names, first = np.unique(clusters[order], return_index=True)
    chosen = rng.permutation(len(names))[: min(count, len(names) // 10)]
    training = np.flatnonzero(~np.isin(clusters, names[chosen]))
    return training, np.sort(order[first[chosen]])
