"""What counting reaches, against counts by hand."""

import numpy as np
import pytest

from peftide.pretraining import references
from peftide.pretraining.perplexity import Surprise
from peftide.pretraining.references import PRIOR_COUNT, count_residues, reference_surprises
from tests.pretraining.conftest import SEQUENCES, corpus_of, token_ids

A, C, D = token_ids("ACD")


def surprises(
    training: list[str], held_out: list[str], max_length: int = 99
) -> dict[str, Surprise]:
    corpus = corpus_of([*training, *held_out])
    count = len(training)
    return reference_surprises(
        corpus,
        training=np.arange(count),
        held_out=np.arange(count, count + len(held_out)),
        max_length=max_length,
    )


def test_uniform_is_twenty() -> None:
    found = surprises(SEQUENCES[:50], SEQUENCES[50:])["uniform"]
    assert found.perplexity() == pytest.approx(20)
    assert found.mean_over_sequences() == pytest.approx(20)
    assert found.residues.tolist() == [len(sequence) for sequence in SEQUENCES[50:]]


def test_residue_frequencies_by_hand() -> None:
    """Six residues, four of them A: every residue counts, the first two of a sequence too."""
    found = surprises(["AAAC", "CA"], ["ACC", "A"])["residue_frequencies"]
    one, two = -np.log(4 / 6), -np.log(2 / 6)
    assert found.nats.tolist() == pytest.approx([one + 2 * two, one])


def test_trigram_and_neighbours_by_hand() -> None:
    """ACDACD holds ACD twice, CDA and DAC once; A, C and D are equally frequent."""
    found = surprises(["ACDACD"], ["ACDA"])
    prior = PRIOR_COUNT / 3
    alone = -np.log(1 / 3)
    after_ac = -np.log((2 + prior) / (2 + PRIOR_COUNT))
    after_cd = -np.log((1 + prior) / (1 + PRIOR_COUNT))
    assert found["trigram"].nats.tolist() == pytest.approx([2 * alone + after_ac + after_cd])
    # C between A and D was seen twice, D between C and A once
    assert found["neighbours"].nats.tolist() == pytest.approx([2 * alone + after_ac + after_cd])
    unseen = surprises(["ACDACD"], ["AAA"])["neighbours"]
    assert unseen.nats.tolist() == pytest.approx([3 * alone])


def test_neighbours_are_those_on_both_sides() -> None:
    """After AC stands D once and A once; between A and D always C."""
    found = surprises(["ACD", "ACA"], ["ACD"])
    frequencies = np.array([3, 2, 1]) / 6  # A, C, D
    ends = -np.log(frequencies[0]) - np.log(frequencies[2])
    between = -np.log((1 + PRIOR_COUNT * frequencies[1]) / (1 + PRIOR_COUNT))
    assert found["neighbours"].nats[0] == pytest.approx(ends + between)
    start = -np.log(frequencies[0]) - np.log(frequencies[1])
    after = -np.log((1 + PRIOR_COUNT * frequencies[2]) / (2 + PRIOR_COUNT))
    assert found["trigram"].nats[0] == pytest.approx(start + after)


@pytest.mark.parametrize("held_out", ["A", "AC"])
def test_a_sequence_too_short_for_neighbours_is_scored_by_frequencies(held_out: str) -> None:
    found = surprises(["ACDACD"], [held_out])
    for name in ("residue_frequencies", "trigram", "neighbours"):
        assert found[name].nats[0] == pytest.approx(len(held_out) * np.log(3))


def test_held_out_sequences_are_cropped_as_for_the_model() -> None:
    found = surprises(["ACDACD"], ["ACDACDAAAA"], max_length=4)
    expected = surprises(["ACDACD"], ["ACDA"])
    for name, surprise in found.items():
        assert surprise.nats.tolist() == expected[name].nats.tolist()
        assert surprise.residues.tolist() == [4]


def test_only_training_sequences_are_counted_and_none_runs_into_the_next() -> None:
    corpus = corpus_of(["ACD", "DDDD", "CA"])
    trigrams, counts = count_residues(corpus, np.array([0, 2]))
    assert trigrams.sum() == trigrams[A, C, D] == 1
    assert {k: counts[k] for k in (A, C, D)} == {A: 2, C: 2, D: 1}
    assert counts.sum() == 5


@pytest.mark.parametrize("chunk", [1, 7, 100, 1000])
def test_the_size_of_a_chunk_changes_no_count(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    corpus, training = corpus_of(SEQUENCES), np.arange(0, 60, 2)
    whole = count_residues(corpus, training)
    monkeypatch.setattr(references, "CHUNK", chunk)
    for found, expected in zip(count_residues(corpus, training), whole, strict=True):
        assert np.array_equal(found, expected)


def test_order_in_the_corpus_is_found_by_neighbours() -> None:
    found = surprises(["ACDEFGHIKL" * 20], ["ACDEFGHIKL" * 3])
    by_name = {name: surprise.perplexity() for name, surprise in found.items()}
    assert by_name["neighbours"] < by_name["residue_frequencies"] == pytest.approx(10)
    assert by_name["residue_frequencies"] < by_name["uniform"]
