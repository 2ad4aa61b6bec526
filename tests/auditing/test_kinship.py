"""Proteins of later parts that are similar to one of train."""

from collections.abc import Sequence

from peftide.auditing import find_kinship
from peftide.auditing.kinship import similar_proteins
from peftide.similarity import Hits, SimilaritySettings, best_hits
from tests.auditing.conftest import Make
from tests.similarity.conftest import random_proteins, relatives

SETTINGS = SimilaritySettings(tool="pyopal", threads=1)


def test_relatives_are_counted_and_identical_ones_are_not(make: Make):
    old, new = random_proteins(4), random_proteins(2, seed=9)
    cousin = relatives(old[:1], changed=0.5)[0]
    rows = [(old[0], old[1], 1, "train"), (old[2], old[3], 0, "train")]
    rows += [(cousin, new[0], 1, "test"), (old[1], new[1], 0, "test"), (new[0], new[1], 1, "test")]
    subject = make(rows)
    kinship = find_kinship(subject, SETTINGS)
    found = similar_proteins(subject, "test", kinship)
    assert found.severity == "leak"  # one of four
    assert found.numbers["count"] == 1
    assert found.numbers["rows"] == 1
    assert found.numbers["at_least_40_percent"] == 1
    assert "1 of 4 proteins (25.0%)" in found.text
    assert "at least 30% identity over at least 50% of the shorter protein (pyopal" in found.text
    assert found.examples[0].startswith("seq_5 ~ seq_1 (")
    assert "variants" not in found.advice


def test_variants_of_one_protein_are_told_what_their_score_means(make: Make):
    first, *others = relatives(random_proteins(1) * 5, changed=0.1)
    rows = [(first, others[0], 1, "train"), (others[1], others[2], 0, "test")]
    subject = make(rows)
    found = similar_proteins(subject, "test", find_kinship(subject, SETTINGS))
    assert found.severity == "leak"
    assert "the score then tells about further variants" in found.advice


def test_few_are_a_warning_and_none_is_good(make: Make):
    old, new = random_proteins(2), random_proteins(24, seed=9)
    cousin = relatives(old[:1], changed=0.5)[0]
    rows = [(old[0], old[1], 1, "train")]
    rows += [(a, b, 1, "test") for a, b in zip(new[::2], new[1::2], strict=True)]
    rows += [(new[0], new[1], 0, "validation"), (cousin, new[0], 1, "test")]
    subject = make(rows)
    kinship = find_kinship(subject, SETTINGS)
    assert similar_proteins(subject, "test", kinship).severity == "warning"
    assert similar_proteins(subject, "validation", kinship).severity == "ok"
    assert len(kinship.hits) == 1


def test_a_given_search_is_used(make: Make):
    old, new = random_proteins(4), random_proteins(2, seed=9)
    subject = make([(old[0], old[1], 1, "train"), (new[0], new[1], 1, "test")])
    asked = []

    def search(
        queries: Sequence[str], targets: Sequence[str], settings: SimilaritySettings
    ) -> Hits:
        asked.append((tuple(queries), tuple(targets), settings))
        return best_hits(queries, targets, settings)

    assert len(find_kinship(subject, SETTINGS, search=search).hits) == 0
    assert asked == [(tuple(new), tuple(old[:2]), SETTINGS)]
