"""Standardisation against numpy."""

import numpy as np
import torch

from peftide.scaling import Scaling


def random_rows(count: int = 50) -> torch.Tensor:
    rows = np.random.default_rng(0).normal(
        loc=[3, -200, 0.01], scale=[1, 40, 1e-3], size=(count, 3)
    )
    return torch.from_numpy(rows).float()


def test_fitted_statistics_are_those_of_numpy():
    rows, scaling = random_rows(), Scaling(3)
    scaling.fit(rows)
    reference = rows.double().numpy()
    np.testing.assert_allclose(scaling.mean.numpy(), reference.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(scaling.deviation.numpy(), reference.std(axis=0), rtol=1e-6)


def test_fitted_rows_have_mean_0_and_deviation_1():
    rows, scaling = random_rows(), Scaling(3)
    scaling.fit(rows)
    scaled = scaling(rows).numpy()
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, atol=1e-5)


def test_new_rows_are_scaled_by_the_fitted_statistics():
    scaling = Scaling(1)
    scaling.fit(torch.tensor([[1.0], [3.0]]))
    assert scaling(torch.tensor([[7.0]])).tolist() == [[5.0]]


def test_a_constant_dimension_is_only_centred():
    scaling = Scaling(2)
    scaling.fit(torch.tensor([[4.0, 1.0], [4.0, 3.0], [4.0, 5.0]]))
    assert scaling.deviation[0] == 1
    assert scaling(torch.tensor([[4.0, 3.0], [6.0, 3.0]])).tolist() == [[0.0, 0.0], [2.0, 0.0]]


def test_one_row_is_enough():
    scaling = Scaling(2)
    scaling.fit(torch.tensor([[4.0, -1.0]]))
    assert scaling(torch.tensor([[4.0, -1.0]])).tolist() == [[0.0, 0.0]]


def test_unfitted_scaling_changes_nothing():
    rows = random_rows()
    assert torch.equal(Scaling(3)(rows), rows)


def test_statistics_are_saved_but_never_train():
    scaling = Scaling(3)
    assert set(scaling.state_dict()) == {"mean", "deviation"}
    assert not list(scaling.parameters())
