from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from peftide.baselines import Homologues, fit_nearest, nearest
from tests.conftest import random_sequences

GENERATOR = np.random.default_rng(0)
TRAIN, NEW = random_sequences(20, seed=1), random_sequences(15, seed=2)
FOUND = [
    dict(
        zip(
            GENERATOR.permutation(20)[:k].tolist(),
            GENERATOR.choice([0.4, 0.5, 0.8], k).tolist(),
            strict=True,
        )
    )
    for k in GENERATOR.integers(0, 5, 15)
]
"""New sequence → train sequence → identity."""


def known_search(queries: Sequence[str], targets: Sequence[str]) -> Homologues:
    """Return what FOUND says, whatever the order of the sequences."""
    place = {text: k for k, text in enumerate(targets)}
    rows = [
        [(place[TRAIN[t]], s) for t, s in FOUND[NEW.index(query)].items() if TRAIN[t] in place]
        for query in queries
    ]
    flat = [one for row in rows for one in row]
    shares = np.array([s for _, s in flat])
    return Homologues(
        np.cumsum([0, *map(len, rows)]),
        np.array([t for t, _ in flat], dtype=np.int64),
        *(shares, shares, shares),
    )


def test_a_sequence_has_the_mean_label_of_the_most_similar_ones() -> None:
    rows, labels = np.arange(20)[:, None], GENERATOR.integers(0, 2, 20)
    fitted = replace(fit_nearest(TRAIN, rows, labels, kind="binary"), search=known_search)
    wanted = []
    for q in range(15):
        best = max(FOUND[q].values(), default=0)
        closest = [labels[t] for t, s in FOUND[q].items() if s == best] or [0]
        wanted.append(labels.mean() + best * (np.mean(closest) - labels.mean()))
    np.testing.assert_allclose(fitted.predict(NEW, np.arange(15)[:, None]), wanted)


def test_values_are_weighted_by_similarity() -> None:
    rows, values = np.arange(20)[:, None], GENERATOR.normal(size=20)
    fitted = replace(fit_nearest(TRAIN, rows, values, kind="continuous"), search=known_search)
    wanted = []
    for q in range(15):
        weights = {t: 1 / (1.01 - s) for t, s in FOUND[q].items()}
        near = sum(w * values[t] for t, w in weights.items()) / max(sum(weights.values()), 1e-9)
        best = max(FOUND[q].values(), default=0)
        wanted.append(values.mean() + best * (near - values.mean()))
    np.testing.assert_allclose(fitted.predict(NEW, np.arange(15)[:, None]), wanted)


def best_pair(pair: list[int], labels: dict[frozenset[int], int]) -> tuple[float, list[int]]:
    """Return the highest similarity of a train pair to a new one, and the labels of those."""
    found = [
        ((s * t) ** 0.5, labels[frozenset((x, y))])
        for (x, s), (y, t) in product(FOUND[pair[0]].items(), FOUND[pair[1]].items())
        if frozenset((x, y)) in labels
    ]
    best = max((s for s, _ in found), default=0)
    return best, [label for s, label in found if abs(s - best) < 1e-9]


@pytest.mark.parametrize("candidates", [4_000_000, 3])
def test_a_pair_has_the_label_of_the_pair_of_its_homologues(
    monkeypatch: pytest.MonkeyPatch, candidates: int
) -> None:
    monkeypatch.setattr(nearest, "CANDIDATES", candidates)
    pairs = np.array([(a, b) for a in range(20) for b in range(a, 20) if (a + b) % 3])
    labels = GENERATOR.integers(0, 2, len(pairs))
    turned = np.where(GENERATOR.random(len(pairs))[:, None] < 0.5, pairs, pairs[:, ::-1])
    fitted = replace(fit_nearest(TRAIN, turned, labels, kind="binary"), search=known_search)
    asked = np.array(list(product(range(15), repeat=2)))
    known = {frozenset(p): int(y) for p, y in zip(pairs.tolist(), labels, strict=True)}
    wanted = []
    for pair in asked.tolist():
        best, closest = best_pair(pair, known)
        wanted.append(labels.mean() + best * (np.mean(closest or [0]) - labels.mean()))
    found = fitted.predict(NEW, asked)
    np.testing.assert_allclose(found, wanted)
    assert np.array_equal(found, fitted.predict(NEW, asked[:, ::-1]))
    assert 0 < np.mean(found != labels.mean()) < 1


def test_contradictory_rows_are_averaged() -> None:
    members, labels = np.array([[0, 1], [1, 0], [2, 3]]), np.array([1, 0, 0])
    fitted = fit_nearest(TRAIN, members, labels, kind="binary")
    assert len(fitted.examples) == 2
    assert sorted(fitted.labels[:, 0].tolist()) == [0, 0.5]


def test_without_any_homologue_the_answer_is_that_of_train() -> None:
    rows, classes = np.arange(20)[:, None], np.eye(3, dtype=np.int64)[np.arange(20) % 3]
    fitted = fit_nearest(TRAIN, rows, classes, kind="categorical")
    answers = fitted.predict(["W" * 12, "HHHHHHHHHHHH"], np.arange(2)[:, None])
    np.testing.assert_allclose(answers, [classes.mean(axis=0)] * 2)
