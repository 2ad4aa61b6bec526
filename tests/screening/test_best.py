import numpy as np
import torch

from peftide.screening.best import NOBODY, BestPartners


def test_blocks_leave_the_best_of_all() -> None:
    scores = torch.randn(5, 40, generator=torch.Generator().manual_seed(0))
    best = BestPartners.empty(5, 7)
    for start in (0, 13, 26):
        stop = min(start + 13, 40)
        best.add(slice(0, 5), slice(start, stop), scores[:, start:stop])
    best.add(slice(0, 5), slice(39, 40), scores[:, 39:])
    expected = np.argsort(-scores.numpy(), axis=1)[:, :7]
    np.testing.assert_array_equal(best.partners.numpy(), expected)


def test_pairs_that_are_left_out_have_no_place() -> None:
    best = BestPartners.empty(1, 3)
    best.add(slice(0, 1), slice(0, 2), torch.tensor([[-torch.inf, 0.5]]))
    assert best.partners[0, 0] == 1
    assert not torch.isfinite(best.scores[0, 1:]).any()
    assert NOBODY == -1
