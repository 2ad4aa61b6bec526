from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from peftide.config import SplitConfig
from peftide.errors import InputError
from peftide.splitting.plan import plan_split
from peftide.splitting.rows import SplitRows, read_rows
from peftide.splitting.sites import (
    TRAIN,
    VariantRows,
    are_variants,
    split_by_order,
    split_by_site,
    variant_rows,
)
from tests.conftest import random_sequences, write_rows

Kind = Literal["random", "position", "order"]
WILD = random_sequences(1, lengths=(30, 31))[0]


def with_changes(*sites: int) -> str:
    """Return the wild type with another residue at some sites."""
    letters = list(WILD)
    for site in sites:
        letters[site] = "W" if WILD[site] != "W" else "A"
    return "".join(letters)


def rows_of(folder: Path, sequences: list[str]) -> SplitRows:
    table = write_rows(
        folder / "t.tsv", "sequence label", [(s, k) for k, s in enumerate(sequences)]
    )
    return read_rows(SplitConfig(input=(table,), out=folder / "out"))


def test_changed_sites_are_counted_against_the_wild_type(tmp_path: Path) -> None:
    sequences = [WILD, *(with_changes(site) for site in range(12)), with_changes(3, 7)]
    found = variant_rows(rows_of(tmp_path, sequences), kind="position")
    assert found.changes.tolist() == [0] + [1] * 12 + [2]
    assert found.site[found.row == 13].tolist() == [3, 7]


def mutants_of(folder: Path, names: list[str], *, kind: Kind, seed: int = 0) -> SplitRows:
    """A table of mutants; the wild type given is not the commonest residue at every site."""
    table = write_rows(folder / "t.tsv", "mutant label", [(n, k) for k, n in enumerate(names)])
    return read_rows(
        SplitConfig(input=(table,), wild_type=WILD, kind=kind, seed=seed, out=folder / "out")
    )


def test_a_given_wild_type_counts_the_changes(tmp_path: Path) -> None:
    first = f"{WILD[0]}1{'W' if WILD[0] != 'W' else 'A'}"
    others = [f"{WILD[n]}{n + 1}{'W' if WILD[n] != 'W' else 'A'}" for n in range(1, 13)]
    rows = mutants_of(tmp_path, ["WT", first, *(f"{first}:{one}" for one in others)], kind="order")
    assert are_variants(rows)
    assert variant_rows(rows, kind="order").changes.tolist() == [0, 1] + [2] * 12


@pytest.mark.parametrize("kind", ["random", "position", "order"])
def test_the_wild_type_is_in_train(tmp_path: Path, kind: Kind) -> None:
    names = [f"{WILD[n]}{n + 1}{'W' if WILD[n] != 'W' else 'A'}" for n in range(20)]
    names += [f"{names[0]}:{one}" for one in names[1:9]]
    for seed in range(20):
        rows = mutants_of(tmp_path, ["WT", *names], kind=kind, seed=seed)
        config = SplitConfig(
            input=(tmp_path / "t.tsv",),
            kind=kind,
            seed=seed,
            fractions=(0.3, 0.3, 0.4),
            out=tmp_path / "out",
        )
        assert plan_split(rows, config).part[0] == TRAIN


def test_other_sequences_are_refused(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, random_sequences(20, lengths=(30, 31)))
    assert not are_variants(rows)
    with pytest.raises(InputError, match="not variants of one.*--kind cluster"):
        variant_rows(rows, kind="order")


def test_no_site_changes_in_two_parts() -> None:
    generator = np.random.default_rng(0)
    row = np.repeat(np.arange(600), 2)
    site = generator.integers(0, 40, 1200)
    row, site = np.unique(np.stack([row, site]), axis=1)
    variants = VariantRows(row, site, 601)
    part = split_by_site(variants, np.ones((601, 1)), np.array([0.6, 0.2, 0.2]), seed=0)
    of_part = [set(site[part[row] == number]) for number in range(3)]
    assert all(of_part)
    assert not of_part[0] & of_part[1]
    assert not of_part[0] & of_part[2]
    assert not of_part[1] & of_part[2]
    assert part[600] == 0  # the wild type
    crossing = [len(set(part_of)) > 1 for part_of in _parts_of_sites(of_part, row, site)]
    assert (part[:600] == -1).tolist() == crossing


def _parts_of_sites(of_part: list[set[int]], row: np.ndarray, site: np.ndarray) -> list[list[int]]:
    def part(one: int) -> int:
        return next((k for k, sites in enumerate(of_part) if one in sites), -1)

    return [[part(one) for one in site[row == number]] for number in range(600)]


def test_single_changes_train_and_combinations_test() -> None:
    changes = np.array([0, 1, 1, 1, 1, 2, 3, 2])
    variants = VariantRows(np.repeat(np.arange(8), changes), np.arange(changes.sum()), 8)
    asked, counted = np.arange(8), np.ones(8, dtype=bool)
    part = split_by_order(variants, asked, counted, fractions=np.array([0.6, 0.2, 0.2]), seed=0)
    assert part[5:].tolist() == [2, 2, 2]
    assert sorted(part[:5].tolist()) == [0, 0, 0, 0, 1]
    with pytest.raises(InputError, match="share of 0 for test"):
        split_by_order(variants, asked, counted, fractions=np.array([0.8, 0.2, 0]), seed=0)


@pytest.mark.parametrize(("each", "said"), [(1, "at most one change"), (2, "two changes or more")])
def test_an_order_needs_single_changes_and_combinations(each: int, said: str) -> None:
    variants = VariantRows(np.repeat(np.arange(4), each), np.arange(4 * each), 4)
    rows = np.arange(4)
    with pytest.raises(InputError, match=f"every variant has {said}.*--kind position"):
        split_by_order(variants, rows, rows >= 0, fractions=np.array([0.6, 0.2, 0.2]), seed=0)
