"""Ridge regression of variants finds effects of sites, letters and pairs."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from peftide.variants.kernels import site_kernels
from peftide.variants.ridge import VariantRidge

LETTERS = torch.arange(12) % 20
EMBEDDINGS = np.random.default_rng(3).normal(size=(12, 4))


def singles() -> torch.Tensor:
    rows = [LETTERS.clone() for _ in range(12 * 6)]
    for number, row in enumerate(rows):
        row[number // 6] = (LETTERS[number // 6] + 1 + number % 6) % 20
    return torch.stack(rows).float()


def fitted(rows: torch.Tensor, values: np.ndarray) -> VariantRidge:
    ridge = VariantRidge(LETTERS)
    kernels = site_kernels("ACDEFGHIKLMN", EMBEDDINGS)
    ridge.fit(kernels, rows, (values - values.mean()) / values.std(), by_site=False)
    return ridge.eval()


def test_events_of_rows() -> None:
    row = LETTERS.clone().float()
    row[2], row[5] = 9, -1  # an unknown letter is no substitution
    found = VariantRidge(LETTERS).events(torch.stack([row, LETTERS.float()]))
    assert found.tolist() == [[49], [-1]]


def test_effects_of_sites_are_learned_and_reach_new_letters() -> None:
    rows, sites = singles(), np.repeat(np.linspace(-2, 2, 12), 6)
    train = np.arange(72) % 6 < 4
    ridge = fitted(
        rows[torch.from_numpy(train)],
        sites[train] + 0.05 * np.random.default_rng(0).normal(size=48),
    )
    found: Any = spearmanr(ridge(rows[torch.from_numpy(~train)]).numpy(), sites[~train])
    assert found.statistic > 0.97
    assert len(ridge.solved) == 0  # single substitutions need the table alone
    assert ridge.spread.min() > 0


def test_in_training_mode_a_row_is_predicted_without_itself() -> None:
    rows = singles()
    values = np.random.default_rng(1).normal(size=72)
    ridge = fitted(rows, values)
    apart = np.abs(ridge.train()(rows).numpy() - values)
    assert apart.mean() > np.abs(ridge.eval()(rows).numpy() - values).mean()


def test_pairs_that_do_not_add_up_are_learned() -> None:
    """The second of two substitutions counts only beside the first."""
    rows, values = [], []
    for first in range(6):
        for second in range(6):
            row = LETTERS.clone()
            row[0], row[1] = (first + 5) % 20, (second + 9) % 20
            rows.append(row)
            values.append(float((first > 2) and (second > 2)) + 0.01 * first)
    ridge = fitted(torch.stack(rows).float(), np.array(values))
    assert len(ridge.solved) == 36
    found = ridge(torch.stack(rows).float()).numpy()
    assert np.corrcoef(found, values)[0, 1] > 0.95


def test_variants_with_none_one_and_two_substitutions_are_read_together() -> None:
    effects = np.random.default_rng(5).normal(size=12)
    rows = [LETTERS.clone() for _ in range(1 + 12 + 66)]
    changed: list[tuple[int, ...]] = [(), *((place,) for place in range(12))]
    changed += [(a, b) for a in range(12) for b in range(a)]
    for row, places in zip(rows, changed, strict=True):
        row[list(places)] = (LETTERS[list(places)] + 3) % 20
    values = np.array([effects[list(places)].sum() for places in changed])
    ridge = fitted(torch.stack(rows).float(), values)
    found = ridge(torch.stack(rows).float()).numpy()
    assert np.corrcoef(found, values)[0, 1] > 0.98


def test_stored_buffers_give_the_same_values() -> None:
    ridge = fitted(singles(), np.exp(3 * np.repeat(np.linspace(-2, 2, 12), 6)))
    other = VariantRidge(LETTERS)
    other.prepare(ridge.state_dict())
    other.load_state_dict(ridge.state_dict())
    torch.testing.assert_close(other.eval()(singles()), ridge(singles()))


@pytest.mark.parametrize("bend", [lambda values: values, lambda values: np.exp(4 * values)])
def test_sums_start_at_a_measured_wild_type(bend: Callable[[Any], Any]) -> None:
    """Harmful substitutions of a good wild type: two of them are worse than each."""
    rows = singles()
    effects = np.repeat(np.linspace(-2, -0.1, 12), 6)
    both = rows[0].clone()
    both[-1] = rows[-1][-1]
    wild_type = LETTERS.float()
    values = bend(np.concatenate([effects, [0.0]]))
    without, ridge = fitted(rows, values[:-1]), fitted(torch.cat([rows, wild_type[None]]), values)
    standardised = (values - values.mean()) / values.std()
    found = ridge(torch.stack([wild_type, both, rows[0], rows[-1]])).numpy()
    assert found[0] == pytest.approx(standardised[-1], abs=1e-3)
    assert found[1] < found[2] + 1e-6 < found[3] < found[0]
    # single substitutions are ranked as without the wild type
    rank: Any = spearmanr(ridge(rows).numpy(), without(rows).numpy())
    assert rank.statistic > 0.99
    assert not ridge.knows_combinations
