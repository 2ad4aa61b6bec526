import numpy as np
import pytest

from peftide.baselines.neighbours import fit_neighbours, load_neighbours, sites_of
from tests.conftest import AMINO_ACIDS, random_sequences

(WILD,) = random_sequences(1, lengths=(40, 41))
SLOPE = np.sin(np.arange(40) / 4)


def variant(site: int, letter: str) -> str:
    return WILD[:site] + letter + WILD[site + 1 :]


def scan(sites: list[int]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return all variants of some sites; values have a part of the site and noise."""
    named = [(site, new) for site in sites for new in AMINO_ACIDS if new != WILD[site]]
    values = SLOPE[[site for site, _ in named]]
    noise = np.random.default_rng(0).normal(scale=0.3, size=len(named))
    return [variant(*each) for each in named], np.arange(len(named))[:, None], values + noise


def test_a_new_site_gets_the_mean_of_its_neighbours() -> None:
    sites = [site for site in range(40) if site % 5]
    sequences, rows, values = scan(sites)
    fitted = fit_neighbours(sequences, rows, values, kind="continuous")
    asked = [variant(site, "W" if WILD[site] != "W" else "Y") for site in range(0, 40, 5)]
    answers = fitted.predict(asked, np.arange(8)[:, None])
    assert np.corrcoef(answers, SLOPE[::5])[0, 1] > 0.95


def test_a_known_site_is_pulled_to_its_neighbours() -> None:
    sequences, rows, values = scan(list(range(40)))
    fitted = fit_neighbours(sequences, rows, values, kind="continuous")
    place = sites_of(sequences, WILD)[1]
    of_site = np.array([values[place == site].mean() for site in range(40)])
    assert np.abs(fitted.of_site[:, 0] - of_site).max() < 0.3
    assert np.abs(fitted.of_site[:, 0] - SLOPE).mean() < np.abs(of_site - SLOPE).mean()


def test_several_changes_have_the_mean_of_their_sites_and_none_the_mean_of_train() -> None:
    sequences, rows, values = scan(list(range(40)))
    fitted = fit_neighbours(sequences, rows, values, kind="continuous")
    double = variant(3, "W")[:10] + "W" + WILD[11:]
    asked = [variant(3, "W"), variant(10, "W"), double, WILD]
    assert asked[0] != WILD != asked[1]
    first, second, both, none = fitted.predict(asked, np.arange(4)[:, None])
    assert both == pytest.approx((first + second) / 2)
    assert none == pytest.approx(values.mean())
    again = load_neighbours(fitted.arrays(), kind="continuous", proteins_per_example=1)
    assert again.predict(asked, np.arange(4)[:, None]).tolist() == [first, second, both, none]


def test_far_sites_count_if_none_is_near() -> None:
    sequences, rows, values = scan([7, 9])
    fitted = fit_neighbours(sequences, rows, values, kind="continuous")
    near, far = fitted.predict([variant(10, "W"), variant(39, "W")], np.arange(2)[:, None])
    assert min(SLOPE[7], SLOPE[9]) - 0.2 < far < max(SLOPE[7], SLOPE[9]) + 0.2
    assert abs(near - SLOPE[9]) < abs(near - SLOPE[7])
