"""Near-copies are searched through one representative, with the results of a full search."""

import numpy as np
import pytest

from peftide.similarity import SimilaritySettings, best_hits, cluster, search
from peftide.similarity.copies import find_copies
from tests.similarity.conftest import random_proteins, relatives

SETTINGS = SimilaritySettings(tool="pyopal", threads=1)


def variants(count: int, *, changed: float = 0.02) -> list[str]:
    """Return variants of one protein."""
    (origin,) = random_proteins(1, length=150)
    return [relatives([origin], changed=changed, seed=seed)[0] for seed in range(count)]


def mixture() -> list[str]:
    """Return variants, families with insertions, and unrelated proteins, in random order."""
    families = random_proteins(6, length=120, seed=7)
    shorter = [text[:50] + text[54:] for text in variants(4)]
    members = [text for seed in range(3) for text in relatives(families, changed=0.4, seed=seed)]
    everyone = [*variants(24), *shorter, *members, *random_proteins(10, seed=9), "MK", "Q" * 40]
    return [everyone[n] for n in np.random.default_rng(0).permutation(len(everyone))]


def test_variants_have_one_representative():
    sequences = [*variants(40), *random_proteins(5, length=150, seed=3)]
    copies = find_copies(sequences, SETTINGS)
    assert copies.of.tolist() == [0] * 40 + [40, 41, 42, 43, 44]
    assert copies.representatives.tolist() == [0, 40, 41, 42, 43, 44]
    # one of six sequences of equal length remains, so E-values are counted for that many
    assert copies.settings(SETTINGS).max_evalue == pytest.approx(SETTINGS.max_evalue * 6 / 45)


def test_copies_are_similar_by_chance_statistics_too():
    repetitive = ["QP" * 60, "QP" * 59 + "QQ"]
    assert find_copies(repetitive, SETTINGS).of.tolist() == [0, 1]
    assert find_copies(["MKVLA", "MKVLA"[::-1]], SETTINGS).of.tolist() == [0, 1]
    assert len(find_copies([], SETTINGS).of) == 0


def test_clusters_are_those_of_all_pairs():
    sequences = mixture()
    hits = search(sequences, sequences, SETTINGS)
    found = cluster(sequences, SETTINGS)
    assert (found.numbers[hits.query] == found.numbers[hits.target]).all()
    alone = np.setdiff1d(np.arange(len(sequences)), hits.query[hits.query != hits.target])
    assert len(found) == 1 + 6 + len(alone)


def test_best_hits_are_those_of_a_full_search():
    sequences = mixture()
    queries, targets = sequences[:16], sequences[16:]
    full = search(queries, targets, SETTINGS).best_per_query()
    best = best_hits(queries, targets, SETTINGS)
    assert best.query.tolist() == full.query.tolist()
    # a near-copy is chosen by its score over the whole length; local alignments may trim the ends
    same_length = [
        len(queries[query]) == len(targets[target])
        for query, target in zip(full.query, full.target, strict=True)
    ]
    assert best.score[same_length] == pytest.approx(full.score[same_length], abs=3)
    assert best.identity_fraction == pytest.approx(full.identity_fraction, abs=0.05)


def test_repeated_sequences_count_once():
    sequences = variants(12)
    best = best_hits([sequences[0], sequences[3], sequences[0]], sequences[1:] * 2, SETTINGS)
    assert best.query.tolist() == [0, 1, 2]
    assert best.target.tolist()[1] == 2
    assert best.target[0] == best.target[2]
    assert best.identity_fraction[1] == 1


def test_variants_take_few_alignments(monkeypatch: pytest.MonkeyPatch):
    sequences, traced = variants(120), []
    module = "peftide.similarity.smith_waterman.Alignments.trace"
    monkeypatch.setattr(module, lambda *_: traced.append(1) or (1.0, 1.0, 1.0))
    assert len(cluster(sequences, SETTINGS)) == 1
    assert len(best_hits(sequences[:40], sequences[40:], SETTINGS)) == 40
    assert len(traced) <= 3 * 40
