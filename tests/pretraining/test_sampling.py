"""Rows are made of true crops, the same for the same seed and step, drawn as often as said."""

import numpy as np
import pytest

from peftide.pretraining.sampling import (
    MIN_CROP,
    Rows,
    RowSampler,
    cluster_weights,
    hold_out_clusters,
)
from tests.conftest import random_sequences
from tests.pretraining.conftest import (
    CLUSTERS,
    FIRST_POSITION,
    PADDING_ID,
    SEQUENCES,
    VOCABULARY,
    corpus_of,
    layout_of,
    sampler_of,
)

PREFIX, SUFFIX = list(VOCABULARY.prefix), list(VOCABULARY.suffix)


def equal(first: Rows, second: Rows) -> bool:
    return all(np.array_equal(a, vars(second)[name]) for name, a in vars(first).items())


def drawn(sampler: RowSampler, steps: int) -> np.ndarray:
    return np.concatenate([sampler.rows(step).sequences for step in range(steps)])


def first_drawn(sampler: RowSampler, steps: int) -> np.ndarray:
    """What each row begins with, row by row of all steps. Shape (pairs, 2)."""
    batches = [sampler.rows(step) for step in range(steps)]
    return np.concatenate([b.sequences[b.piece[:, 0]] for b in batches]).reshape(-1, 2)


@pytest.mark.parametrize("paired", [False, True])
def test_seed_and_step_alone_decide_the_rows(*, paired: bool) -> None:
    corpus, layout = corpus_of(SEQUENCES, CLUSTERS.tolist()), layout_of(paired=paired)
    sampler = sampler_of(corpus, layout)
    later = [sampler.rows(step) for step in (5, 0, 5)]
    assert equal(later[0], later[2])
    assert equal(later[0], sampler_of(corpus, layout).rows(5))
    assert not equal(later[0], later[1])
    assert not equal(later[0], sampler_of(corpus, layout, seed=1).rows(5))


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize("step", range(5))
def test_every_piece_is_a_crop_of_its_sequence(step: int, *, paired: bool) -> None:
    corpus, layout = corpus_of(SEQUENCES, CLUSTERS.tolist()), layout_of(paired=paired)
    rows = sampler_of(corpus, layout).rows(step)
    for piece, sequence in enumerate(rows.sequences):
        row, places = np.nonzero(rows.piece == piece)
        assert len(set(row)) == 1
        assert np.array_equal(places, np.arange(places[0], places[-1] + 1))
        tokens = rows.input_ids[row, places].tolist()
        assert tokens[:1] == PREFIX
        assert tokens[-1:] == SUFFIX
        residues = corpus.residues(int(sequence))
        assert bytes(tokens[1:-1]) in residues.tobytes()
        assert len(tokens) - 2 >= min(MIN_CROP, len(residues))
        positions = rows.position_ids[row, places]
        assert np.array_equal(positions, FIRST_POSITION + np.arange(len(places)))
        assert rows.is_residue[row, places].tolist() == [False, *[True] * (len(places) - 2), False]


def test_what_no_piece_fills_is_padding_of_its_own_piece() -> None:
    layout = layout_of()
    rows = sampler_of(corpus_of(SEQUENCES), layout).rows(0)
    left = rows.piece >= len(rows.sequences)
    assert left.any()
    assert set(rows.piece[left]) == {layout.max_pieces - 1}
    assert (rows.input_ids[left] == PADDING_ID).all()
    assert not rows.is_residue[left].any()
    assert (rows.input_ids[~left] != PADDING_ID).all()
    assert left.sum(axis=1).max() < MIN_CROP + 2  # else one more piece would fit


def test_a_long_sequence_is_cropped_anywhere() -> None:
    (sequence,) = random_sequences(1, lengths=(300, 301))
    corpus = corpus_of([sequence])
    sampler = sampler_of(corpus, layout_of(rows=8, row_tokens=34))
    starts = set()
    for step in range(40):
        for row in sampler.rows(step).input_ids:
            starts.add(corpus.tokens.tobytes().find(bytes(row[1:-1].tolist())))
    assert min(starts) < 20
    assert max(starts) > 300 - 32 - 20
    assert len(starts) > 100


def test_short_sequences_are_as_many_as_the_batch_has_room_for() -> None:
    layout = layout_of(rows=2, row_tokens=64, min_piece=1)
    rows = sampler_of(corpus_of(["M", "K", "AC"]), layout).rows(0)
    assert layout_of(rows=2, row_tokens=64).max_pieces < len(rows.sequences) < layout.max_pieces
    assert rows.piece[rows.is_residue].max() == len(rows.sequences) - 1 < layout.max_pieces - 1


@pytest.mark.parametrize(
    ("power", "expected"), [(1.0, [8, 4, 1, 1]), (0.5, [8**0.5, 2, 1, 1]), (0.0, [1, 1, 1, 1])]
)
def test_clusters_are_drawn_as_often_as_said(power: float, expected: list[float]) -> None:
    clusters = np.repeat([3, 0, 7, 9], [8, 4, 1, 1])
    corpus = corpus_of(random_sequences(14, lengths=(30, 31)), clusters.tolist())
    sampler = sampler_of(
        corpus, layout_of(rows=50, row_tokens=32), weights=cluster_weights(clusters, power)
    )
    sequences = drawn(sampler, 40)
    assert len(sequences) == 2000  # a row of 32 tokens holds one piece
    shares = np.array([(clusters[sequences] == name).mean() for name in (3, 0, 7, 9)])
    truth = np.array(expected) / sum(expected)
    assert (np.abs(shares - truth) < 4 * np.sqrt(truth * (1 - truth) / 2000)).all()
    inside = np.bincount(sequences, minlength=14)[:8] / (clusters[sequences] == 3).sum()
    assert np.abs(inside - 1 / 8).max() < 0.05  # members of a cluster alike


def test_held_out_clusters_are_never_drawn() -> None:
    clusters = np.arange(60) // 3
    training, held_out = hold_out_clusters(clusters, 2, seed=0)
    assert len(held_out) == len(set(clusters[held_out])) == 2
    assert len(training) == 60 - 2 * 3
    sampler = sampler_of(corpus_of(SEQUENCES, clusters.tolist()), layout_of(), members=training)
    assert set(drawn(sampler, 100)) == set(training)
    assert not set(clusters[training]) & set(clusters[held_out])


def test_every_second_row_begins_with_a_relative_of_the_row_before() -> None:
    """Of what is trained on: held-out clusters, and others that are no members, never show."""
    training, held_out = hold_out_clusters(CLUSTERS, 1, seed=0)
    members = training[training % 5 != 3]  # clusters lack one of their five
    corpus = corpus_of(SEQUENCES, CLUSTERS.tolist())
    sampler = sampler_of(corpus, layout_of(row_tokens=64, paired=True), members=members)
    pairs = first_drawn(sampler, 200)
    assert len(pairs) == 200 * 2
    assert np.array_equal(CLUSTERS[pairs[:, 0]], CLUSTERS[pairs[:, 1]])
    assert set(pairs[:, 0]) == set(pairs[:, 1]) == set(members)
    assert not set(CLUSTERS[pairs.ravel()]) & set(CLUSTERS[held_out])
    same = (pairs[:, 0] == pairs[:, 1]).mean()
    assert abs(same - 1 / 4) < 4 * np.sqrt(1 / 4 * 3 / 4 / 400)  # itself is one of four
    assert set(drawn(sampler, 200)) == set(members)  # later pieces of the rows too


def test_clusters_that_are_not_in_order_are_paired_too() -> None:
    clusters = np.random.default_rng(0).permutation(CLUSTERS) * 7
    corpus = corpus_of(SEQUENCES, clusters.tolist())
    pairs = first_drawn(sampler_of(corpus, layout_of(paired=True)), 200)
    assert np.array_equal(clusters[pairs[:, 0]], clusters[pairs[:, 1]])
    assert set(pairs[:, 1]) == set(range(60))


def test_a_sequence_that_is_its_own_cluster_is_its_own_relative() -> None:
    """Without a table of clusters: two crops, each at random, of the same sequence."""
    corpus = corpus_of(random_sequences(10, lengths=(200, 300)))
    sampler = sampler_of(corpus, layout_of(paired=True))
    pairs = first_drawn(sampler, 20)
    assert np.array_equal(pairs[:, 0], pairs[:, 1])
    assert set(pairs[:, 0]) == set(range(10))
    crops = np.concatenate([sampler.rows(step).input_ids for step in range(20)])
    assert (crops[::2] != crops[1::2]).any(axis=1).mean() > 0.9


def test_rows_that_are_not_paired_know_no_clusters() -> None:
    corpora = [corpus_of(SEQUENCES), corpus_of(SEQUENCES, CLUSTERS.tolist())]
    first, second = (sampler_of(corpus, layout_of()) for corpus in corpora)
    assert all(equal(first.rows(step), second.rows(step)) for step in range(5))
    pairs = first_drawn(second, 200)
    same = (CLUSTERS[pairs[:, 0]] == CLUSTERS[pairs[:, 1]]).mean()
    assert abs(same - 1 / 12) < 4 * np.sqrt(1 / 12 * 11 / 12 / 400)


def test_at_most_a_tenth_of_the_clusters_is_held_out() -> None:
    for count, expected in ((1, 1), (4, 4), (1000, 10)):
        training, held_out = hold_out_clusters(np.arange(100), count, seed=0)
        assert (len(training), len(held_out)) == (100 - expected, expected)
    assert len(hold_out_clusters(np.arange(9), 5, seed=0)[1]) == 0


def test_the_seed_decides_what_is_held_out() -> None:
    clusters = np.arange(1000)
    first, again, other = (hold_out_clusters(clusters, 50, seed=s)[1] for s in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_any_member_of_a_held_out_cluster_may_stand_for_it() -> None:
    clusters = np.arange(20) // 2
    chosen = [int(hold_out_clusters(clusters, 1, seed=seed)[1][0]) for seed in range(40)]
    assert {index % 2 for index in chosen} == {0, 1}
    assert len(set(chosen)) > 10
