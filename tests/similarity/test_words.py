"""Targets that are worth aligning."""

import pytest

from peftide.similarity.words import promising_targets
from tests.similarity.conftest import random_proteins, relatives


def test_few_targets_are_all_worth_it():
    found = list(promising_targets(["MKV", ""], ["MKV", "AAA"], most=2))
    assert [rows.tolist() for rows in found] == [[0, 1], [0, 1]]


def test_relatives_are_among_the_first(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("peftide.similarity.words.BLOCK_CELLS", 1500)  # several blocks
    targets = random_proteins(500)
    queries = relatives(targets[::50], changed=0.5)
    found = list(promising_targets(queries, targets, most=5))
    assert all(len(rows) == 5 for rows in found)
    hits = [50 * number in rows for number, rows in enumerate(found)]
    # half identical, each stretch of four residues is whole in one of sixteen places
    assert sum(hits) >= 9


def test_length_alone_is_no_promise():
    targets = random_proteins(20, length=3_000) + random_proteins(20, length=60, seed=1)
    queries = relatives(targets[20:], changed=0.3)
    found = list(promising_targets(queries, targets, most=2))
    assert all(20 + number in rows for number, rows in enumerate(found))


def test_too_short_for_words():
    found = list(promising_targets(["MKV"], ["MK", "AA", "V"], most=2))
    assert len(found) == 1
    assert len(found[0]) == 2


def test_the_most_promising_target_comes_first():
    targets = random_proteins(60)
    queries = relatives(targets[:10], changed=0.3)
    found = list(promising_targets(queries, targets, most=5))
    assert [rows[0] for rows in found] == list(range(10))
