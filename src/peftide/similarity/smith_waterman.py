"""Local alignments, by pyopal, of each query with the targets that share words with it."""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Literal, TypeVar

import numpy as np
import pyopal
from scoring_matrices import ScoringMatrix

from peftide.progress import meter
from peftide.similarity.hits import Hits, hits_of
from peftide.similarity.selecting import EVERY_PAIR, Selection
from peftide.similarity.settings import SimilaritySettings
from peftide.similarity.words import promising_targets
from peftide.types import FloatArray, IntArray

Mode = Literal["score", "end", "full"]
Result = TypeVar("Result")
MATRIX = "BLOSUM62"
GAP_OPEN, GAP_EXTEND = 11, 1
# Altschul et al. 1997 (doi 10.1093/nar/25.17.3389): BLOSUM62 with these gaps
LAMBDA, K = 0.267, 0.041
UNKNOWN = str.maketrans("UOJ", "XXX")
MOST_CELLS = 2**25
"""Largest query length × target length of an alignment traced whole, at 12 bytes per cell."""

PIECE = 1000
"""Length of the query pieces for larger alignments, in residues."""

ASCII = 128
"""Number of ASCII characters."""

LANES = 32
"""Targets that AVX2 aligns at the same time; fewer take as long."""

WAITING = 16
"""Queries per thread that wait for their alignments."""


def known_letters(sequence: str) -> str:
    """Return a sequence in the letters of the scoring matrix, with X for other letters.

    Examples
    --------
    >>> known_letters("MUKBJ")
    'MXKBX'
    """
    return sequence.translate(UNKNOWN)


def bits(score: float) -> float:
    """Return a raw alignment score in bits.

    Examples
    --------
    >>> round(bits(100), 1)
    43.1
    """
    return (LAMBDA * score - math.log(K)) / math.log(2)


def self_score(sequence: str) -> float:
    """Return the bits of a sequence aligned with itself."""
    codes = np.frombuffer(known_letters(sequence).encode("ascii"), dtype=np.uint8)
    return bits(float(substitution_scores()[codes, codes].sum()))


@cache
def substitution_scores() -> FloatArray:
    """Return the score of each pair of letters, by their ASCII codes."""
    matrix = ScoringMatrix.from_name(MATRIX)
    codes = np.frombuffer(matrix.alphabet.encode("ascii"), dtype=np.uint8)
    scores = np.zeros((ASCII, ASCII), dtype=np.float32)
    scores[np.ix_(codes, codes)] = [
        [matrix[a, b] for b in matrix.alphabet] for a in matrix.alphabet
    ]
    return scores


def tool_name() -> str:
    """Return name and version of the library."""
    return f"pyopal {pyopal.__version__}"


def search_with_pyopal(
    queries: Sequence[str],
    targets: Sequence[str],
    settings: SimilaritySettings,
    *,
    selection: Selection = EVERY_PAIR,
) -> Hits:
    """Return the similar pairs of each query and its most promising targets.

    Two kinds of alignments are left out: insignificant scores by chance statistics (`LAMBDA`, `K`),
    and scores little above the score of the reversed target. The reversed target has the same
    composition and repeats but no common ancestor. Without this check, low-complexity proteins
    align well with half of a proteome.

    References
    ----------
    Karplus et al. 2005, reverse-sequence null models (doi 10.1093/bioinformatics/bti629).
    """
    search = Alignments.of(targets, settings)
    chosen = promising_targets(queries, targets, most=settings.max_hits)
    jobs = (
        partial(search.hits, known_letters(query), of_query, number=number, selection=selection)
        for number, (query, of_query) in enumerate(zip(queries, chosen, strict=True))
    )
    rows: list[tuple[float, ...]] = []
    with meter("aligning", total=sum(map(len, queries)), unit="residues") as progress:
        for number, found in enumerate(_in_order(jobs, threads=settings.thread_count())):
            rows += [(number, *hit) for hit in found]
            progress.advance(len(queries[number]))
    return hits_of(rows, tool=tool_name())


def _in_order(jobs: Iterable[Callable[[], Result]], *, threads: int) -> Iterator[Result]:
    """Yield the results of jobs in order; only a few jobs wait at a time."""
    if threads == 1:
        yield from (job() for job in jobs)
        return
    pool = ThreadPoolExecutor(threads)
    waiting: deque[Future[Result]] = deque()
    try:
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) > WAITING * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for queued work


@dataclass(frozen=True)
class Alignments:
    """Targets in the format of the library, forwards and backwards."""

    aligner: pyopal.Aligner
    texts: Sequence[str]
    database: pyopal.Database
    backwards: pyopal.Database
    lengths: IntArray
    settings: SimilaritySettings

    @classmethod
    def of(cls, targets: Sequence[str], settings: SimilaritySettings) -> "Alignments":
        """Return the targets ready for alignment."""
        aligner = pyopal.Aligner(MATRIX, gap_open=GAP_OPEN, gap_extend=GAP_EXTEND)
        spelled = [known_letters(target) for target in targets]
        database = pyopal.Database(spelled, alphabet=aligner.alphabet)
        backwards = pyopal.Database([text[::-1] for text in spelled], alphabet=aligner.alphabet)
        lengths = np.array([len(target) for target in targets], dtype=np.int64)
        return cls(aligner, spelled, database, backwards, lengths, settings)

    def hits(
        self, query: str, chosen: IntArray, *, number: int, selection: Selection
    ) -> list[tuple[float, ...]]:
        """Return target, identity, both coverages and bits of each hit of one query, best first.

        Parameters
        ----------
        chosen
            Targets to align.
        number
            Number of the query, for the selection.
        """
        rows = []
        wanted = chosen[selection.wants(number, chosen)]
        for target, score in self._significant(query, wanted):
            if not selection.wants(number, np.array([target]))[0]:
                continue
            spanned = self.spanned(query, target, score)
            if self.settings.accepts(*spanned):
                rows.append((target, *spanned, bits(score)))
                if selection.found(number, target):
                    break
        return rows

    def hit(self, query: str, target: int) -> tuple[float, ...]:
        """Return target, identity, both coverages and bits of one alignment."""
        score = int(self._scores(query, self.database, np.array([target]))[0])
        return (target, *self.spanned(query, target, score), bits(score))

    def significant(self, query: str, chosen: IntArray) -> IntArray:
        """Return the targets with significant scores, the best target first."""
        found = self._significant(query, chosen)
        return np.array([target for target, _ in found], dtype=np.int64)

    def _significant(self, query: str, chosen: IntArray) -> Iterator[tuple[int, int]]:
        """Yield targets with significant scores, and the scores, the best target first."""
        targets, scores = self._above_chance(query, chosen)
        for start in range(0, len(targets), LANES):
            some = slice(start, start + LANES)
            yield from self._above_reversed(query, targets[some], scores[some])

    def _above_chance(self, query: str, chosen: IntArray) -> tuple[IntArray, IntArray]:
        """Return the targets with scores above the scores of random sequences, and the scores."""
        scores = self._scores(query, self.database, chosen)
        chance = K * len(query) * self.lengths.sum() / self.settings.max_evalue
        good = scores >= math.log(chance) / LAMBDA
        chosen, scores = chosen[good], scores[good]
        order = np.lexsort((chosen, -scores))
        return chosen[order], scores[order]

    def _above_reversed(
        self, query: str, chosen: IntArray, scores: IntArray
    ) -> list[tuple[int, int]]:
        """Return the targets, with their scores, that score less when they are read backwards."""
        surplus = scores - self._scores(query, self.backwards, chosen)
        good = surplus >= math.log(len(self.lengths) / self.settings.max_evalue) / LAMBDA
        return list(zip(chosen[good].tolist(), scores[good].tolist(), strict=True))

    def _scores(self, query: str, database: pyopal.Database, chosen: IntArray) -> IntArray:
        if not len(chosen):
            return np.empty(0, dtype=np.int64)
        results = self._align(query, database.extract(chosen.tolist()))
        return np.array([result.score for result in results], dtype=np.int64)

    def _align(self, query: str, targets: pyopal.Database, mode: Mode = "score") -> Sequence[Any]:
        """Align; pyopal 0.7.3 with overflow="buckets" would leak 65 bytes per residue."""
        return self.aligner.align(query, targets, mode=mode, overflow="simple")

    def spanned(self, query: str, target: int, score: int) -> tuple[float, float, float]:
        """Return identity and both coverages of the alignment that has this score.

        If a piece without gaps has the score of the best alignment, it is a best alignment.
        """
        return _without_gaps(query, self.texts[target], score) or self.trace(query, target)

    def trace(self, query: str, target: int) -> tuple[float, float, float]:
        """Return identity and both coverages; long proteins get their identity in pieces."""
        length = int(self.lengths[target])
        alone = self.database.extract([target])
        if len(query) * length <= MOST_CELLS:
            whole = self._align(query, alone, "full")[0]
            return _identity([whole]), whole.coverage("query"), whole.coverage("target")
        last = self._align(query, alone, "end")[0]
        # read backwards, an alignment ends where it begins
        first = self._align(query[::-1], self.backwards.extract([target]), "end")[0]
        start, stop = len(query) - 1 - first.query_end, last.query_end + 1
        pieces = [query[at : min(at + PIECE, stop)] for at in range(start, stop, PIECE)]
        traced = [self._align(piece, alone, "full")[0] for piece in pieces]
        theirs = first.target_end + last.target_end + 2 - length
        return _identity(traced), (stop - start) / len(query), theirs / length


def _identity(results: Sequence[pyopal.FullResult]) -> float:
    """Identical residues per column, including gaps."""
    columns = sum(len(result.alignment) for result in results)
    return sum(result.alignment.count("M") for result in results) / columns


def _without_gaps(query: str, target: str, score: int) -> tuple[float, float, float] | None:
    """Return identity and both coverages of a piece with this score.

    Only the pieces are tried that align both starts or both ends of the sequences.
    """
    mine, theirs = (np.frombuffer(text.encode("ascii"), dtype=np.uint8) for text in (query, target))
    shared = min(len(mine), len(theirs))
    for piece in (slice(shared), slice(-shared, None)):
        left, right = mine[piece], theirs[piece]
        sums = np.concatenate([[0], np.cumsum(substitution_scores()[left, right])])
        gains = sums - np.minimum.accumulate(sums)
        stop = int(gains.argmax())
        if gains[stop] == score:
            start = int(sums[: stop + 1].argmin())
            same, columns = int((left[start:stop] == right[start:stop]).sum()), stop - start
            return same / columns, columns / len(query), columns / len(target)
    return None
