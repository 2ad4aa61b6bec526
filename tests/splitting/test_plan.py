from pathlib import Path

import numpy as np
import pytest

from peftide.config import SplitConfig
from peftide.errors import InputError
from peftide.splitting.graph import PairGraph
from peftide.splitting.plan import (
    NOWHERE,
    check_fractions,
    counted_rows,
    inside,
    kept_by_chance,
    numbered,
    plan_split,
    positive_rows,
    resolved_kind,
)
from peftide.splitting.rows import SplitRows, read_rows
from tests.conftest import random_sequences, write_proteins, write_rows


@pytest.fixture
def rows(tmp_path: Path) -> SplitRows:
    write_proteins(tmp_path / "p.fasta", random_sequences(4))
    pairs = [("p0", "p1", 0), ("p1", "p0", 1), ("p2", "p2", 1), ("p2", "p3", 1), ("p3", "p2", 1)]
    table = write_rows(tmp_path / "t.tsv", "id_a id_b label", pairs)
    return read_rows(
        SplitConfig(input=(table,), sequences=tmp_path / "p.fasta", out=tmp_path / "out")
    )


def test_an_example_counts_where_it_is_usable_first(rows: SplitRows) -> None:
    everything = np.ones(5, dtype=bool)
    positive = positive_rows(rows)
    assert positive.tolist() == [False, True, True, True, True]
    found = counted_rows(rows, everything, self_pairs="exclude")
    assert found.tolist() == [True, False, False, True, False]
    # the same pair is a negative first: its positive row must count nevertheless
    found = counted_rows(rows, positive, self_pairs="exclude")
    assert found.tolist() == [False, True, False, True, False]
    assert counted_rows(rows, positive, self_pairs="keep")[2]


def test_the_kind_is_that_of_the_rows() -> None:
    def kind(name: str, *, pairs: bool) -> str:
        config = SplitConfig.__new__(SplitConfig)
        object.__setattr__(config, "kind", name)
        object.__setattr__(config, "negatives", "keep")
        return resolved_kind(config, pairs=pairs)

    assert kind("auto", pairs=True) == "none_seen"
    assert kind("auto", pairs=False) == "cluster"
    assert kind("random", pairs=True) == kind("random", pairs=False) == "random"
    with pytest.raises(
        InputError, match=r"none_seen of single sequences; expected cluster, random"
    ):
        kind("none_seen", pairs=False)


def test_negatives_are_for_pairs(tmp_path: Path) -> None:
    config = SplitConfig(input=(tmp_path / "t.tsv",), out=tmp_path / "out", negatives="sample")
    with pytest.raises(InputError, match=r"--negatives: sample of single sequences"):
        resolved_kind(config, pairs=False)


def test_pairs_across_parts_are_nowhere() -> None:
    assert inside(np.array([[0, 0], [0, 2], [2, 2]])).tolist() == [0, NOWHERE, 2]


def test_numbers_begin_at_zero_in_order_of_appearance() -> None:
    assert numbered(np.array([[7, 3], [3, 9]])).tolist() == [[0, 1], [1, 2]]


def test_chance_keeps_what_the_squares_of_the_shares_say() -> None:
    pairs = np.random.default_rng(0).integers(0, 3000, (40_000, 2))
    graph = PairGraph(pairs, np.zeros(40_000, dtype=np.int64), np.ones(40_000))
    fractions = np.array([0.8, 0.1, 0.1])
    # shares of the proteins go with the square roots: 1 / (√.8 + √.1 + √.1)² of the pairs
    assert kept_by_chance(graph, fractions, seed=0) == pytest.approx(0.4289, abs=0.02)


def test_residues_and_values_are_divided_too(tmp_path: Path) -> None:
    sequences = random_sequences(60, lengths=(20, 40))
    labels = ["H" * (len(text) // 2) + "E" * (len(text) - len(text) // 2) for text in sequences]
    table = write_rows(
        tmp_path / "r.tsv", "sequence label", list(zip(sequences, labels, strict=True))
    )
    config = SplitConfig(input=(table,), out=tmp_path / "out", similarity="none")
    plan = plan_split(read_rows(config), config)
    assert plan.kind == "cluster"
    assert plan.labels.names == ("E", "H")
    assert np.bincount(plan.part).tolist() == [48, 6, 6]


def test_a_part_may_be_left_out() -> None:
    np.testing.assert_allclose(check_fractions((0.7, 0, 0.3)), [0.7, 0, 0.3])


@pytest.mark.parametrize(
    "fractions", [(), (1.0,), (0.8, 0.2), (0.8, 0.1, 0.2), (1.1, -0.1, 0), (0, 0.5, 0.5), (1, 0, 0)]
)
def test_what_is_no_division_is_refused(fractions: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"--fractions: received .*expected shares .* 0.8,0.1,0.1"):
        check_fractions(fractions)
