"""As many residues are hidden as asked for, in runs as long as asked for, 80/10/10."""

import numpy as np
import pytest

from peftide.pretraining.masking import MaskedRows, mask_share
from peftide.pretraining.sampling import Rows
from tests.pretraining.conftest import (
    MASK_ID,
    RESIDUE_IDS,
    SEQUENCES,
    corpus_of,
    layout_of,
    masking_of,
    sampler_of,
)


def rows_of(rows: int = 4) -> Rows:
    return sampler_of(corpus_of(SEQUENCES), layout_of(rows)).rows(0)


def hide(rows: Rows, *, seed: int = 0, **options: float) -> MaskedRows:
    return masking_of(**options).apply(rows, np.random.default_rng(seed))


@pytest.mark.parametrize("mean_span", [1.0, 2.5, 6.0])
@pytest.mark.parametrize("fraction", [0.05, 0.15, 0.5])
def test_exactly_the_share_is_hidden_and_only_residues(fraction: float, mean_span: float) -> None:
    rows = rows_of()
    for seed in range(5):
        masked = hide(rows, seed=seed, fraction=fraction, mean_span=mean_span)
        assert len(masked.places) == len(set(masked.places)) == int(fraction * rows.input_ids.size)
        assert rows.is_residue.ravel()[masked.places].all()
        assert np.array_equal(masked.targets, rows.input_ids.ravel()[masked.places])


def test_what_is_not_hidden_is_shown_as_it_is() -> None:
    rows = rows_of()
    before = rows.input_ids.copy()
    masked = hide(rows)
    shown = masked.input_ids.copy().ravel()
    shown[masked.places] = masked.targets
    assert np.array_equal(shown.reshape(before.shape), before)
    assert np.array_equal(rows.input_ids, before)


def test_never_more_is_hidden_than_there_are_residues_and_never_nothing() -> None:
    rows = rows_of(1)
    assert len(hide(rows, fraction=0.9999).places) == rows.is_residue.sum()
    assert len(hide(rows, fraction=1e-6).places) == 1


def test_the_same_numbers_hide_the_same_residues() -> None:
    rows = rows_of()
    first, again, other = hide(rows), hide(rows), hide(rows, seed=1)
    assert np.array_equal(first.input_ids, again.input_ids)
    assert not np.array_equal(first.places, other.places)


def test_of_ten_hidden_residues_eight_are_masked_one_is_another_one_stays() -> None:
    rows = rows_of(400)
    masked = hide(rows, fraction=0.5)
    shown = masked.input_ids.ravel()[masked.places]
    count = len(shown)
    assert count > 15_000
    changed = (shown != MASK_ID) & (shown != masked.targets)
    # one replacement in 20 draws the residue that was there
    for share, expected in (
        ((shown == MASK_ID).mean(), 0.8),
        (changed.mean(), 0.1 * 19 / 20),
        ((shown == masked.targets).mean(), 0.1 + 0.1 / 20),
    ):
        assert abs(share - expected) < 4 * np.sqrt(expected * (1 - expected) / count)
    assert set(shown[changed]) == set(RESIDUE_IDS)


def run_lengths(rows: Rows, masked: MaskedRows) -> np.ndarray:
    """Lengths of the runs of hidden residues, special tokens not counted."""
    hidden = np.zeros(rows.input_ids.size, dtype=int)
    hidden[masked.places] = 1
    edges = np.diff(np.concatenate([[0], hidden[rows.is_residue.ravel()], [0]]))
    return np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)


@pytest.mark.parametrize("mean_span", [1.0, 3.0, 8.0])
def test_runs_have_the_mean_length_asked_for(mean_span: float) -> None:
    """Runs that touch look like one: with a share h hidden, a run goes on into another so often."""
    rows = rows_of(300)
    masked = hide(rows, fraction=0.15, mean_span=mean_span)
    share = len(masked.places) / rows.is_residue.sum()
    assert run_lengths(rows, masked).mean() == pytest.approx(mean_span / (1 - share), rel=0.1)


def test_the_share_of_masks_is_of_each_piece() -> None:
    rows = rows_of()
    masked = hide(rows)
    for piece in range(len(rows.sequences)):
        inside = rows.piece == piece
        expected = (masked.input_ids[inside] == MASK_ID).mean()
        np.testing.assert_allclose(masked.mask_share[inside], expected)
    assert len(np.unique(masked.mask_share)) > 2


def test_a_piece_goes_by_its_number_not_by_its_row() -> None:
    share = mask_share(np.array([[9, 9, 1], [9, 1, 1]]), np.array([[0, 0, 1], [2, 2, 1]]), 9)
    assert share.tolist() == [[1.0, 1.0, 0.0], [0.5, 0.5, 0.0]]
