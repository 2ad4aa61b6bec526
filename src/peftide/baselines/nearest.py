"""Nearest homologues: the labels of the most similar training sequences.

Pairs: the labels of train pairs between homologues of both proteins, as in the transfer of
interactions between species (Yu et al. 2004, doi 10.1101/gr.1774904).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from peftide.baselines.checks import (
    as_answers,
    check_as_fitted,
    check_members,
    checked_targets,
)
from peftide.baselines.homologues import Homologues, Search, find_homologues
from peftide.baselines.letters import as_bytes, from_bytes
from peftide.outcomes import OUTCOMES
from peftide.types import FloatArray, IntArray

CANDIDATES = 4_000_000  # train pairs that are looked up at a time


@dataclass(frozen=True)
class NearestHomologue:
    """The training part as a table of sequences and labels; made by `fit_nearest`.

    Attributes
    ----------
    kind
        Kind of outcome, a key of `OUTCOMES`.
    sequences
        Distinct train sequences. Length P.
    examples
        Distinct train sequences or unordered pairs, as indices into `sequences`. Shape (B, A).
    labels
        Mean label of each example: one column per class or value. Shape (B, K).
    prior
        Mean label of train. Shape (K,).
    search
        Finds the homologues of sequences among others.
    ids
        First id of each sequence, for people; empty if unknown. Length P or 0.
    """

    kind: str
    sequences: tuple[str, ...]
    examples: IntArray
    labels: FloatArray
    prior: FloatArray
    search: Search = find_homologues
    ids: tuple[str, ...] = ()

    def homologues(self, sequences: Sequence[str]) -> Homologues:
        """Yield the homologues of sequences in train."""
        return self.search(sequences, self.sequences)

    def predict(self, sequences: Sequence[str], members: IntArray) -> FloatArray:
        """Yield one prediction per example, the same for (a, b) and (b, a).

        prior + s · (label − prior). s is the similarity of the most similar train example; for
        pairs, the geometric mean of the identities of their proteins. label is the mean label of
        the most similar examples; for values, the mean over all homologues, weighted by
        1 / (1 − s + 0.01). Without homologues the answer is the prior.

        Raises
        ------
        InputError
            If `members` does not fit.

        Examples
        --------
        >>> known, rows = ["MKVLAAGIVGLCAWLDE" * 3, "GSHMSTRRQEYPPND" * 3], np.array([[0], [1]])
        >>> nearest = fit_nearest(known, rows, np.array([1, 0]), kind="binary")
        >>> nearest.predict([known[0], known[1]], rows)
        array([1., 0.])
        """
        check_members(members, len(sequences))
        check_as_fitted(members, self.examples.shape[1])
        homologues, nearness = self.homologues(sequences), OUTCOMES[self.kind].shallow.nearness
        sums = np.zeros((len(members), self.labels.shape[1]))
        weights, best = np.zeros(len(members)), np.zeros(len(members))
        for start, rows, similarity, examples in self._candidates(homologues, members):
            stop = start + (rows.max(initial=-1) + 1)
            part = slice(start, stop)
            np.maximum.at(best[part], rows, similarity)
            weight = nearness(similarity, best[part][rows])
            np.add.at(weights[part], rows, weight)
            np.add.at(sums[part], rows, weight[:, None] * self.labels[examples])
        found = weights > 0
        answers = np.tile(self.prior, (len(members), 1))
        label = sums[found] / weights[found, None]
        answers[found] += best[found, None] * (label - answers[found])
        return as_answers(answers, OUTCOMES[self.kind])

    def _candidates(
        self, homologues: Homologues, members: IntArray
    ) -> Iterator[tuple[int, IntArray, FloatArray, IntArray]]:
        """Yield, per block, its first row, and of each similar train example: row, s, example."""
        keys = _keys(self.examples, len(self.sequences))
        order = np.argsort(keys)
        ordered = np.sort(members, axis=1)  # so that both orders add up in one
        for start, stop in _blocks(homologues, ordered):
            rows, targets, similarity = _similar(homologues, ordered[start:stop])
            wanted = _keys(targets, len(self.sequences))
            place = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
            known = keys[order[place]] == wanted
            yield start, rows[known], similarity[known], order[place[known]]

    def arrays(self) -> dict[str, np.ndarray]:
        """Yield sequences, examples and labels of train by name."""
        return {
            "residues": as_bytes("".join(self.sequences)),
            "ends": np.cumsum([len(sequence) for sequence in self.sequences]),
            "examples": self.examples,
            "labels": self.labels,
            "prior": self.prior,
            "ids": as_bytes(json.dumps(self.ids)),
        }


def load_nearest(
    arrays: Mapping[str, np.ndarray], *, kind: str, proteins_per_example: int
) -> NearestHomologue:
    """Yield the baseline that `NearestHomologue.arrays` came from."""
    text = from_bytes(arrays["residues"])
    ends = arrays["ends"].tolist()
    sequences = tuple(text[a:b] for a, b in zip([0, *ends[:-1]], ends, strict=True))
    assert arrays["examples"].shape[1] == proteins_per_example
    ids = (
        json.loads(from_bytes(arrays["ids"])) if "ids" in arrays else []
    )  # the first peftide: none
    return NearestHomologue(
        *(kind, sequences, arrays["examples"], arrays["labels"], arrays["prior"]),
        ids=tuple(ids),
    )


def fit_nearest(
    sequences: Sequence[str], members: IntArray, targets: np.ndarray, *, kind: str
) -> NearestHomologue:
    """Put the training part in order: each distinct sequence or unordered pair, and its mean label.

    Parameters
    ----------
    sequences
        Proteins; only proteins that `members` names have an influence.
    members
        Indices into `sequences`, one or two per example. Shape (B, A).
    targets, kind
        As `peftide.baselines.linear.fit_linear` takes them.

    Raises
    ------
    InputError
        If members and targets do not fit together.
    """
    check_members(members, len(sequences))
    outcome = OUTCOMES[kind]
    labels = checked_targets(targets, len(members), outcome).astype(np.float64)
    columns = outcome.shallow.averaged(labels)
    place: dict[str, int] = {}
    codes = [
        place.setdefault(sequences[protein], len(place)) for protein in members.ravel().tolist()
    ]
    local = np.sort(np.array(codes, dtype=np.int64).reshape(members.shape), axis=1)
    keys, group = np.unique(_keys(local, len(place)), return_inverse=True)
    sums = np.zeros((len(keys), columns.shape[1]))
    np.add.at(sums, group, columns)
    return NearestHomologue(
        kind,
        sequences=tuple(place),
        examples=np.stack(np.divmod(keys, len(place)), axis=1)[:, -members.shape[1] :],
        labels=sums / np.bincount(group)[:, None],
        prior=columns.mean(axis=0),
    )


def _keys(examples: IntArray, count: int) -> IntArray:
    """Return one number for each sequence or unordered pair of `count` sequences."""
    if examples.shape[1] == 1:
        return examples[:, 0]
    return examples.min(axis=1) * count + examples.max(axis=1)


def _blocks(homologues: Homologues, members: IntArray) -> Iterator[tuple[int, int]]:
    """Yield where runs of rows begin and end that have few enough candidates together."""
    counts = np.diff(homologues.starts)[members].prod(axis=1)
    block = np.cumsum(counts) // CANDIDATES
    edges = [0, *(np.flatnonzero(np.diff(block)) + 1).tolist(), len(members)]
    yield from zip(edges[:-1], edges[1:], strict=True)


def _similar(homologues: Homologues, members: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Return row, train sequences (one or two) and similarity of each combination of homologues."""
    counts = np.diff(homologues.starts)[members]
    per_row = counts.prod(axis=1)
    rows = np.repeat(np.arange(len(members)), per_row)
    within = np.arange(len(rows)) - np.repeat(np.cumsum(per_row) - per_row, per_row)
    last = counts[rows, -1]
    steps = [within] if members.shape[1] == 1 else [within // last, within % last]
    places = [homologues.starts[members[rows, k]] + step for k, step in enumerate(steps)]
    targets = np.stack([homologues.target[place] for place in places], axis=1)
    identities = np.stack([homologues.identity_fraction[place] for place in places], axis=1)
    return rows, targets, identities.prod(axis=1) ** (1 / members.shape[1])
