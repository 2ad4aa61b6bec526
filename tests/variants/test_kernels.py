"""Kernels of substitutions, against sums written out by hand."""

import numpy as np
import torch

from peftide.variants.kernels import AHEAD, BLOCKS, site_kernels, variant_sums, weighted
from peftide.variants.letters import letter_kernel

WILD_TYPE = "MKVLA"
EMBEDDINGS = np.random.default_rng(0).normal(size=(5, 3))
SCORES = np.random.default_rng(1).normal(size=(5, 20))


def some_kernel(scores: np.ndarray | None = SCORES):
    kernels = site_kernels(WILD_TYPE, EMBEDDINGS, scores)
    weights = torch.arange(1, kernels.count + 1).double()
    return kernels, weights, weighted(kernels, weights)


def test_the_kernel_of_two_substitutions_is_the_weighted_sum_of_its_kinds() -> None:
    kernels, weights, kernel = some_kernel()
    (p, a), (q, b) = (1, 4), (3, 7)
    letters = letter_kernel()
    factors = (1.0, letters[a, b], float(a == b))
    expected = sum(
        float(weight) * float(kernels.by_name[name][p, q]) * factors[kind]
        for weight, (name, kind) in zip(weights, BLOCKS, strict=False)
    )
    assert kernels.scores is not None
    expected += float(weights[-1] * kernels.scores[p, a] * kernels.scores[q, b])
    found = kernel.between(torch.tensor([20 * p + a]), torch.tensor([20 * q + b]))
    np.testing.assert_allclose(float(found), expected)


def test_the_table_sums_the_kernel_over_all_events() -> None:
    _, _, kernel = some_kernel()
    coefficients = torch.from_numpy(np.random.default_rng(2).normal(size=(5, 20)))
    every = torch.arange(100)
    expected = kernel.between(every, every) @ coefficients.flatten()
    torch.testing.assert_close(kernel.table(coefficients).flatten(), expected)
    torch.testing.assert_close(
        kernel.variances().flatten(), kernel.between(every, every).diagonal()
    )


def test_the_kernel_is_positive_without_scores_too() -> None:
    _, _, kernel = some_kernel(None)
    every = torch.arange(100)
    assert float(torch.linalg.eigvalsh(kernel.between(every, every)).min()) > -1e-9


def test_sites_are_alike_if_their_embeddings_or_the_next_ones_are() -> None:
    rows = np.random.default_rng(3).normal(size=(9, 4))
    kernels = site_kernels("MKVLAGSTW", rows).by_name
    means = np.array([rows[place : place + AHEAD].mean(axis=0) for place in range(9)])
    for name, values in (("model", rows), ("ahead", means)):
        scaled = (values - values.mean(axis=0)) / values.std(axis=0)
        squares = ((scaled[:, None] - scaled[None]) ** 2).sum(axis=2)
        apart = np.sort(squares[~np.eye(9, dtype=bool)])
        width = apart[(len(apart) - 1) // 2]  # the lower median
        np.testing.assert_allclose(kernels[name].numpy(), np.exp(-squares / width), atol=1e-5)


def test_equal_embeddings_are_alike() -> None:
    kernels = site_kernels(WILD_TYPE, np.ones((5, 3)))
    assert bool((kernels.by_name["model"] == 1).all())


def test_variants_sum_over_pairs_of_substitutions() -> None:
    between = torch.arange(12.0).view(3, 4)
    a = torch.tensor([[0, 2], [1, 3], [3, 3]])  # 3 fills up
    b = torch.tensor([[1, 3], [0, 4]])  # 4 fills up
    table = between.numpy()
    expected = [
        [table[0, 1] + table[0, 3] + table[2, 1] + table[2, 3], table[0, 0] + table[2, 0]],
        [table[1, 1] + table[1, 3], table[1, 0]],
        [0, 0],
    ]
    np.testing.assert_allclose(variant_sums(between, a, b).numpy(), expected)
