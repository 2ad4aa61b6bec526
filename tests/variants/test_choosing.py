"""Weights of kernels: the closed form of left-out errors, and folds."""

import numpy as np
import torch

from peftide.variants import choosing
from peftide.variants.choosing import choose_weights, fold_of, index_events, mixture
from peftide.variants.kernels import site_kernels

EVENTS = torch.tensor([[20 * place + letter] for place in range(6) for letter in range(4)])
KERNELS = site_kernels("MKVLAW", np.random.default_rng(0).normal(size=(6, 3)))
VALUES = np.repeat(np.linspace(-1, 1, 6), 4) + np.tile([0.1, -0.1, 0.2, -0.2], 6)


def test_folds_keep_sites_together() -> None:
    folds = fold_of(EVENTS, by_site=True, seed=0)
    assert all(len(set(folds[4 * place : 4 * place + 4])) == 1 for place in range(6))
    assert np.bincount(fold_of(EVENTS, by_site=False, seed=0)).max() <= 3


def test_left_out_predictions_are_those_of_a_fit_without_the_fold() -> None:
    folds = np.arange(24) % 4
    found = choose_weights(KERNELS, EVENTS, VALUES, folds=folds)
    parts = choosing._parts(KERNELS, EVENTS)
    logs = torch.tensor([*found.kinds.log(), np.log(found.noise - choosing.SMALLEST_NOISE)])
    matrix = mixture(parts, logs).numpy()
    out, rest = folds == 1, folds != 1
    expected = matrix[out][:, rest] @ np.linalg.solve(matrix[rest][:, rest], VALUES[rest])
    np.testing.assert_allclose(found.held_out[out], expected, atol=1e-6)
    np.testing.assert_allclose(found.error, np.mean((VALUES - found.held_out) ** 2))
    assert found.error < 0.2 * VALUES.var()


def test_events_are_indexed_and_filled_up() -> None:
    distinct, places = index_events(torch.tensor([[7, 3], [3, -1]]))
    assert distinct.tolist() == [3, 7]
    assert places.tolist() == [[1, 0], [0, 2]]
