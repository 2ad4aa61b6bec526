"""From the tables of a training to its data set."""

from pathlib import Path

from peftide.config import TrainConfig
from peftide.splitting.training_data import read_training_data
from tests.conftest import random_sequences, write_rows


def test_proteins_that_a_random_validation_shares_with_train_are_counted(tmp_path: Path) -> None:
    sequences = random_sequences(6, seed=3)
    rows = [(a, b, (i + j) % 2) for i, a in enumerate(sequences) for j, b in enumerate(sequences)]
    table = write_rows(tmp_path / "t.tsv", "sequence_a sequence_b label", rows)
    config = TrainConfig(
        task="ppi",
        train=table,
        out=tmp_path / "run",
        validation_fraction=0.2,
        validation_kind="random",
    )
    dataset = read_training_data(config, "pair")
    inside = [
        {dataset.proteins.sequences[p] for p in dataset.parts[part].members.ravel()}
        for part in ("train", "validation")
    ]
    found = [f for f in dataset.findings if (f.part, f.kind) == ("validation", "shared_proteins")]
    assert [finding.count for finding in found] == [len(inside[0] & inside[1])]
    assert found[0].count > 0


def test_clusters_that_a_given_validation_shares_with_train_are_counted(tmp_path: Path) -> None:
    sequences = random_sequences(8, seed=3)
    parts = ["train"] * 4 + ["validation"] * 4
    clusters = ["a", "a", "b", "", "a", "c", "", "d"]
    rows = list(zip(sequences, range(8), parts, clusters, strict=True))
    table = write_rows(tmp_path / "t.tsv", "sequence label split cluster", rows)
    config = TrainConfig(task="regression", data=table, out=tmp_path / "run")
    dataset = read_training_data(config, "sequence")
    (found,) = [f for f in dataset.findings if f.kind == "shared_clusters"]
    assert (found.part, found.count) == ("validation", 1)
    assert found.decision.startswith("of 3 validation clusters")
