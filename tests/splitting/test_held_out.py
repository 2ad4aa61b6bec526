"""Validation rows taken from train."""

import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from peftide.config.options import TableOptions
from peftide.errors import InputError
from peftide.sequences.dataset import read_dataset
from peftide.sequences.records import Dataset, Examples, Proteins, WildType
from peftide.sequences.repeats import distinct_examples, distinct_sequences
from peftide.sequences.tables import read_table
from peftide.splitting.held_out import Kind, hold_out_validation

DATA = Path(os.environ.get("PEFTIDE_DATA", ""))
needs_data = pytest.mark.skipif("PEFTIDE_DATA" not in os.environ, reason="PEFTIDE_DATA is not set")


def make_dataset(members: list[list[int]], n_proteins: int, counted: list[bool] | None = None):
    # every second id has the sequence of the one before it
    proteins = Proteins(
        tuple(f"P{index}" for index in range(n_proteins)),
        tuple("M" * (index // 2 + 1) for index in range(n_proteins)),
    )
    counts = np.array(counted or [True] * len(members))
    lines = np.arange(2, 2 + len(members))
    train = Examples(Path("train.tsv"), lines, np.array(members), counts)
    test = Examples(Path("test.tsv"), lines[:1], train.members[:1], counts[:1])
    return Dataset(proteins, {"train": train, "test": test}, ())


@pytest.fixture
def pairs():
    generator = np.random.default_rng(0)
    return make_dataset(generator.integers(0, 80, size=(2_000, 2)).tolist(), 80)


def sequences_of(dataset: Dataset, part: str) -> set[str]:
    members = np.unique(dataset.parts[part].members)
    return {dataset.proteins.sequences[member] for member in members}


def asked_in(dataset: Dataset, part: str):
    numbers = distinct_sequences(dataset.proteins)
    members = np.concatenate([rows.members for rows in dataset.parts.values()])
    asked = distinct_examples(members, numbers)
    start = 0
    for name, rows in dataset.parts.items():
        if name == part:
            return set(asked[start : start + len(rows)].tolist())
        start += len(rows)
    raise AssertionError(part)


def test_random_takes_the_share_and_keeps_repeats_together(pairs: Dataset):
    held = hold_out_validation(pairs, fraction=0.1, kind="random", seed=1)
    assert list(held.parts) == ["train", "validation", "test"]
    assert len(held.parts["train"]) + len(held.parts["validation"]) == 2_000
    # 2,000 rows ask about at most 820 pairs, so the last group may go over by a few rows
    assert 200 <= len(held.parts["validation"]) < 210
    assert not asked_in(held, "train") & asked_in(held, "validation")
    assert (np.diff(held.parts["validation"].lines) > 0).all()
    finding, shared = held.findings
    assert (shared.part, shared.kind) == ("validation", "shared_proteins")
    assert (finding.part, finding.kind) == ("validation", "held_out_rows")
    assert finding.count == len(held.parts["validation"])
    assert "random, fraction 0.1, seed 1" in finding.decision


def test_random_keeps_one_sequence_on_one_side():
    held = hold_out_validation(
        make_dataset([[index] for index in range(40)], 40), fraction=0.3, kind="random", seed=0
    )
    assert len(held.parts["validation"]) == 12
    assert not sequences_of(held, "train") & sequences_of(held, "validation")


def test_share_is_of_the_rows_that_count():
    counted = [True] * 10 + [False] * 30
    data = make_dataset([[2 * index] for index in range(40)], 80, counted)
    held = hold_out_validation(data, fraction=0.2, kind="random", seed=3)
    assert held.parts["validation"].counted.sum() == 2


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3, 0.5])
def test_none_seen_shares_no_protein_and_meets_the_share(pairs: Dataset, fraction: float):
    held = hold_out_validation(pairs, fraction=fraction, kind="none_seen", seed=2)
    assert not sequences_of(held, "train") & sequences_of(held, "validation")
    train, validation = len(held.parts["train"]), len(held.parts["validation"])
    assert validation / (train + validation) == pytest.approx(fraction, abs=0.03)
    counts = {finding.kind: finding.count for finding in held.findings}
    assert counts == {
        "held_out_rows": validation,
        "mixed_pairs_dropped": 2_000 - train - validation,
    }


@pytest.mark.parametrize("kind", ["random", "none_seen"])
def test_same_seed_same_rows(pairs: Dataset, kind: Kind):
    def lines(seed: int):
        held = hold_out_validation(pairs, fraction=0.1, kind=kind, seed=seed)
        return held.parts["validation"].lines.tolist()

    assert lines(5) == lines(5)
    assert lines(5) != lines(6)


def test_none_seen_is_for_pairs():
    data = make_dataset([[0], [2]], 4)
    with pytest.raises(InputError, match="none_seen .*pairs.*--validation-kind random"):
        hold_out_validation(data, fraction=0.1, kind="none_seen", seed=0)


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 10.0])
def test_fraction(pairs: Dataset, fraction: float):
    with pytest.raises(InputError, match="--validation-fraction: .*a share between 0 and 1"):
        hold_out_validation(pairs, fraction=fraction, kind="random", seed=0)


def test_there_is_one_already(pairs: Dataset):
    held = hold_out_validation(pairs, fraction=0.1, kind="random", seed=0)
    with pytest.raises(InputError, match="there is already a validation part"):
        hold_out_validation(held, fraction=0.1, kind="random", seed=0)


@pytest.mark.parametrize(
    ("members", "kind"),
    [([[0, 2]], "random"), ([[0, 2], [2, 0]], "random"), ([[0, 2], [2, 4]], "none_seen")],
)
def test_too_few(members: list[list[int]], kind: Kind):
    with pytest.raises(InputError, match=r"train\.tsv: .*too few to hold out.*--validation"):
        hold_out_validation(make_dataset(members, 6), fraction=0.5, kind=kind, seed=0)


def test_rows_that_do_not_count_are_no_validation():
    data = make_dataset([[0, 2], [4, 6]], 8, counted=[True, False])
    with pytest.raises(InputError, match="1 counted rows"):
        hold_out_validation(data, fraction=0.5, kind="none_seen", seed=0)


def yeast() -> Dataset:
    folder = DATA / "ppi_yeast"
    options = TableOptions(sequences=folder / "sequences.fasta")
    table = read_table(folder / "du_0_to_1.tsv", options, level="pair", needs_labels=True)
    train = table.select(table.splits == "train")
    return read_dataset({"train": train}, options, level="pair")


@needs_data
def test_yeast_none_seen():
    data = yeast()
    held = hold_out_validation(data, fraction=0.1, kind="none_seen", seed=0)
    counts = {part: int(rows.counted.sum()) for part, rows in held.parts.items()}
    assert counts["validation"] / sum(counts.values()) == pytest.approx(0.1, abs=0.005)
    assert not sequences_of(held, "train") & sequences_of(held, "validation")


def clustered(clusters: list[str], labels: list[str] | None = None):
    """Return single sequences in clusters; the part test is left out."""
    count = len(clusters)
    train = Examples(
        Path("train.tsv"),
        np.arange(2, 2 + count),
        np.arange(count)[:, None],
        np.ones(count, dtype=bool),
        labels=tuple(labels or ["1", "0"] * (count // 2)),
        clusters=tuple(clusters),
    )
    proteins = Proteins(
        tuple(f"P{k}" for k in range(count)), tuple("M" * (k + 1) for k in range(count))
    )
    return Dataset(proteins, {"train": train}, ())


def kinds(dataset: Dataset) -> dict[str, int]:
    return {finding.kind: finding.count for finding in dataset.findings}


def chosen(dataset: Dataset) -> str:
    (held,) = [f for f in dataset.findings if f.kind == "held_out_rows"]
    return held.decision


@pytest.mark.parametrize("kind", ["auto", "cluster"])
@pytest.mark.parametrize("seed", range(3))
def test_whole_clusters_are_held_out(kind: Kind, seed: int):
    data = clustered([f"c{k // 6}" for k in range(120)])
    held = hold_out_validation(data, fraction=0.1, kind=kind, seed=seed)
    train, validation = held.parts["train"], held.parts["validation"]
    assert len(validation) == 12
    assert not set(train.clusters or ()) & set(validation.clusters or ())
    assert set(validation.labels or ()) == {"0", "1"}
    assert list(kinds(held)) == ["held_out_rows"]
    assert "cluster, fraction 0.1" in chosen(held)


def test_rows_without_cluster_stand_alone_and_equal_sequences_stay_together():
    data = clustered([""] * 10 + ["a", "b"] * 5)
    proteins = Proteins(data.proteins.ids, (*data.proteins.sequences[:10], *["W"] * 10))
    held = hold_out_validation(
        Dataset(proteins, data.parts, ()), fraction=0.3, kind="cluster", seed=0
    )
    assert not sequences_of(held, "train") & sequences_of(held, "validation")
    assert len(held.parts["validation"]) == 6


def test_random_counts_the_clusters_that_both_parts_have():
    data = clustered([f"c{k // 6}" for k in range(120)])
    held = hold_out_validation(data, fraction=0.2, kind="random", seed=0)
    train, validation = held.parts["train"], held.parts["validation"]
    shared = set(train.clusters or ()) & set(validation.clusters or ())
    assert kinds(held)["shared_clusters"] == len(shared) > 0


@pytest.mark.parametrize("clusters", [["c"] * 40, ["c"] * 30 + ["d"] * 10])
def test_auto_takes_rows_at_random_where_clusters_do_not_divide(clusters: list[str]):
    labels = ["1", "0"] * 15 + ["1"] * 10
    data = clustered(clusters, labels)
    held = hold_out_validation(data, fraction=0.1, kind="auto", seed=0)
    assert "(random, fraction 0.1, seed 0); train keeps" in chosen(held)
    assert "; cluster would leave " in chosen(held)
    assert kinds(held)["shared_clusters"]


def test_cluster_needs_a_column_and_two_clusters():
    with pytest.raises(InputError, match="--validation-kind: cluster .*--cluster-column"):
        hold_out_validation(make_dataset([[0], [2]], 4), fraction=0.1, kind="cluster", seed=0)
    with pytest.raises(InputError, match=r"train\.tsv: 40 .*too few"):
        hold_out_validation(clustered(["c"] * 40), fraction=0.1, kind="cluster", seed=0)


def labelled_pairs(count: int, proteins: int) -> Dataset:
    members = np.random.default_rng(0).integers(0, proteins // 2, size=(count, 2)) * 2
    data = make_dataset(members.tolist(), proteins)
    train = replace(data.parts["train"], labels=("1", "0") * (count // 2))
    return replace(data, parts={"train": train})


def test_auto_takes_whole_proteins_of_pairs_and_says_the_cost():
    data = labelled_pairs(4_000, 200)
    held = hold_out_validation(data, fraction=0.1, kind="auto", seed=0)
    assert not sequences_of(held, "train") & sequences_of(held, "validation")
    kept = round(100 * len(held.parts["train"]) / 4_000)
    assert "(none_seen, fraction 0.1, seed 0); train keeps " in chosen(held)
    assert chosen(held).endswith(f", {kept}% of its pairs")
    assert kept >= 50


@pytest.mark.parametrize(
    ("count", "fraction", "said"),
    [(200, 0.1, r"validation only \d\d pairs"), (4_000, 0.4, r"train only [\d,]+ of 4,000 rows")],
)
def test_auto_takes_pairs_at_random_where_too_few_would_remain(
    count: int, fraction: float, said: str
):
    held = hold_out_validation(labelled_pairs(count, 200), fraction=fraction, kind="auto", seed=0)
    assert re.search(f"random, .*; none_seen would leave {said}", chosen(held))
    assert "shared_proteins" in kinds(held)


def test_auto_wants_both_labels_in_validation():
    data = labelled_pairs(2_000, 200)
    train = data.parts["train"]
    hub = train.members[:, 0] == train.members[0, 0]
    labels = tuple("1" if row < 12 else "0" for row in range(len(hub)))
    data = replace(data, parts={"train": replace(train, labels=labels)})
    held = hold_out_validation(data, fraction=0.1, kind="auto", seed=0)
    assert "one of the most common labels" in chosen(held)


@needs_data
@pytest.mark.parametrize("seed", range(2))
def test_auto_takes_whole_proteins_on_yeast(seed: int):
    held = hold_out_validation(yeast(), fraction=0.1, kind="auto", seed=seed)
    assert "none_seen" in chosen(held)


@pytest.mark.parametrize("kind", ["random", "cluster", "auto"])
def test_the_wild_type_of_variants_stays_in_train(kind: Kind) -> None:
    data = make_dataset([[2 * k] for k in range(12)], 24)
    clusters = tuple(f"k{k // 2}" for k in range(12))
    train = {"train": replace(data.parts["train"], clusters=clusters)}
    data = replace(data, parts=train, variants_of=WildType(data.proteins.sequences[4]))
    for seed in range(30):
        found = hold_out_validation(data, fraction=0.5, kind=kind, seed=seed)
        assert data.proteins.sequences[4] in sequences_of(found, "train")
        assert data.proteins.sequences[4] not in sequences_of(found, "validation")
