import hashlib
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import RidgeCV

from peftide.baselines import BASELINES
from peftide.baselines.letters import STANDARD_RESIDUES
from peftide.baselines.sites import (
    Sites,
    are_variants,
    fit_site_pairs,
    fit_sites,
    load_sites,
    vary_at_few_sites,
)
from peftide.outcomes.shallow import RIDGE_PENALTIES
from tests.conftest import random_sequences

WILD = random_sequences(1, lengths=(40, 41))[0]


def singles() -> tuple[list[str], np.ndarray]:
    """Return all single substitutions at 20 sites; a value has a part of the site, of the residue
    before and of the residue after.
    """
    generator = np.random.default_rng(0)
    of_site, of_letter = generator.normal(size=20), generator.normal(size=(2, 20))
    sequences, values = [], []
    for site, (code, letter) in product(range(20), enumerate(STANDARD_RESIDUES)):
        if WILD[site] != letter:
            sequences.append(WILD[:site] + letter + WILD[site + 1 :])
            before = STANDARD_RESIDUES.index(WILD[site])
            values.append(of_site[site] + of_letter[0, before] + of_letter[1, code])
    return sequences, np.array(values)


def correlation(fitted: Sites, sequences: list[str], rows: np.ndarray, truth: np.ndarray) -> float:
    return spearmanr(fitted.predict(sequences, rows), truth).statistic  # type: ignore[attr-defined]


def test_new_substitutions_at_known_sites_are_predicted() -> None:
    sequences, values = singles()
    order = np.random.default_rng(1).permutation(len(sequences))
    train, test = order[:300, None], order[300:, None]
    fitted = fit_sites(sequences, train, values[train[:, 0]], kind="continuous")
    assert fitted.reference == WILD
    assert correlation(fitted, sequences, test, values[test[:, 0]]) > 0.97


def test_features_equal_a_plain_one_hot() -> None:
    """One-hot of the site, of the residue after and before, in scikit-learn's ridge regression."""
    sequences, values = singles()
    order = np.random.default_rng(2).permutation(len(sequences))
    rows = []
    for sequence in sequences:
        site = next(k for k in range(40) if sequence[k] != WILD[k])
        row = np.zeros(60)
        row[site] = 1
        row[20 + STANDARD_RESIDUES.index(sequence[site])] = 1
        row[40 + STANDARD_RESIDUES.index(WILD[site])] = 1
        rows.append(row)
    train, test = order[:300], order[300:]
    plain = np.array(rows)
    wanted = RidgeCV(alphas=RIDGE_PENALTIES).fit(plain[train], values[train]).predict(plain[test])
    fitted = fit_sites(sequences, train[:, None], values[train], kind="continuous")
    np.testing.assert_allclose(fitted.predict(sequences, test[:, None]), wanted, atol=1e-8)


def doubles() -> tuple[list[str], np.ndarray]:
    """Return variants at three sites, whose value is all in pairs of residues."""
    generator = np.random.default_rng(0)
    letters = [*"ACDEFG"]
    pair = generator.choice([-1.0, 1.0], size=(3, 6, 6))
    sequences, values = [], []
    for a, b, c in product(range(6), repeat=3):
        sequence = letters[a] + WILD[1:7] + letters[b] + WILD[8:12] + letters[c] + WILD[13:]
        sequences.append(sequence)
        values.append(pair[0, a, b] + pair[1, a, c] + pair[2, b, c])
    return sequences, np.array(values)


def test_pairs_of_sites_see_what_single_sites_cannot() -> None:
    sequences, values = doubles()
    order = np.random.default_rng(3).permutation(len(sequences))
    train, test = order[:160, None], order[160:, None]
    scores = {
        fit: correlation(
            fit(sequences, train, values[train[:, 0]], kind="continuous"),
            sequences,
            test,
            values[test[:, 0]],
        )
        for fit in (fit_sites, fit_site_pairs)
    }
    assert scores[fit_site_pairs] > max(0.8, scores[fit_sites] + 0.1)


def test_classes_are_answered_too() -> None:
    sequences, values = singles()
    labels, rows = (values > 0).astype(np.int64), np.arange(len(values))[:, None]
    answers = fit_sites(sequences, rows, labels, kind="binary").predict(sequences, rows)
    assert ((answers > 0.5) == labels).mean() > 0.9


def test_they_apply_to_variants_only() -> None:
    variants, proteins = singles()[0], random_sequences(30, lengths=(40, 41))
    assert are_variants(variants)
    assert not are_variants(proteins)
    assert not BASELINES["nearest_homologue"].applies(variants)
    assert BASELINES["nearest_homologue"].applies(proteins)
    assert vary_at_few_sites(doubles()[0])
    assert not vary_at_few_sites(singles()[0])  # one change at a time has no pairs
    assert not vary_at_few_sites(random_sequences(30, lengths=(40, 41)))


def test_a_given_wild_type_and_stored_numbers() -> None:
    sequences, values = singles()
    rows = np.arange(len(values))[:, None]
    other = "W" + WILD[1:]
    fitted = fit_sites(sequences, rows, values, kind="continuous", wild_type=other)
    assert fitted.reference == other
    again = load_sites(fitted.arrays(), kind="continuous", proteins_per_example=1)
    asked = [WILD[:10] + WILD[11:], WILD + "AA", *sequences[:3]]  # gaps and insertions, too
    for one in (fitted, again):
        answers = one.predict(asked, np.arange(5)[:, None])
        assert np.isfinite(answers).all()
    np.testing.assert_array_equal(answers, fitted.predict(asked, np.arange(5)[:, None]))


@pytest.mark.parametrize(("scan", "random", "position"), [("SUMO1_HUMAN_Weile_2017", 0.595, 0.058)])
def test_a_real_scan_has_the_published_score(
    data: Path, scan: str, random: float, position: float
) -> None:
    """Reference: scikit-learn's ridge regression, in the README of the data."""
    folder = data / "tasks" / "scans"
    wild = _wild_type(folder, scan)
    table = pd.read_csv(folder / f"{scan}.tsv.xz", sep="\t")
    places = table["mutant"].str[1:-1].astype(int)
    sequences = [
        wild[: place - 1] + mutant[-1] + wild[place:]
        for place, mutant in zip(places, table["mutant"], strict=True)
    ]
    held_out = [int(hashlib.md5(f"p{p}".encode()).hexdigest(), 16) % 10 == 9 for p in places]
    values = table["label"].to_numpy()
    for test, wanted in ((table["split"] == "test", random), (np.array(held_out), position)):
        rows = [np.flatnonzero(chosen)[:, None] for chosen in (~test, test)]
        fitted = fit_sites(sequences, rows[0], values[rows[0][:, 0]], kind="continuous")
        found = correlation(fitted, sequences, rows[1], values[rows[1][:, 0]])
        assert found == pytest.approx(wanted, abs=0.005)


@pytest.mark.parametrize(
    ("split", "single", "paired"), [("two_vs_rest", 0.563, 0.631), ("three_vs_rest", 0.749, 0.797)]
)
def test_gb1_reaches_the_ridge_regression_of_its_sites(
    data: Path, split: str, single: float, paired: float
) -> None:
    """Reference: scikit-learn's ridge on the one-hot of four sites, and of their pairs."""
    table = pd.read_csv(data / "tasks" / "gb1" / "data.tsv.xz", sep="\t")
    sequences, values = table["sequence"].tolist(), table["target"].to_numpy()
    train = np.flatnonzero(table[split] == "train")[:, None]
    test = np.flatnonzero(table[split] == "test")[:, None]
    for fit, least in ((fit_sites, single), (fit_site_pairs, paired)):
        fitted = fit(sequences, train, values[train[:, 0]], kind="continuous")
        assert correlation(fitted, sequences, test, values[test[:, 0]]) >= least


def _wild_type(folder: Path, name: str) -> str:
    text = (folder / "wild_types.fasta").read_text()
    entry = next(one for one in text.split(">") if one.startswith(name))
    return "".join(entry.split("\n")[1:])
