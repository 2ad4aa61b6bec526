"""Findings on the parts of a split."""

from pathlib import Path
from typing import Any

import pytest

from peftide.config import SplitConfig
from peftide.splitting.plan import plan_split
from peftide.splitting.record import split_record
from peftide.splitting.rows import read_rows
from tests.conftest import random_sequences, write_rows


def record_of(folder: Path, labels: list[str], clusters: list[str], **options: Any) -> Any:
    sequences = random_sequences(len(labels))
    rows = list(zip(sequences, labels, clusters, strict=True))
    table = write_rows(folder / "t.tsv", "sequence label cluster", rows)
    config = SplitConfig(input=(table,), out=folder / "out", **options)
    rows = read_rows(config)
    return split_record(rows, plan_split(rows, config))


def findings(record: Any, kind: str) -> dict[str, tuple[int, str]]:
    return {
        found["part"]: (found["count"], found["decision"])
        for found in record["findings"]
        if found["kind"] == kind
    }


def test_a_label_that_a_part_lacks_is_named_with_its_clusters(tmp_path: Path) -> None:
    labels = ["rare"] * 4 + ["odd"] * 2 + ["a", "b"] * 40
    clusters = ["r0", "r0", "r1", "r1", "o", "o", *(f"c{k}" for k in range(80))]
    found = findings(record_of(tmp_path, labels, clusters), "missing_labels")
    assert set(found) == {"validation", "test"}
    assert found["test"] == (1, found["test"][1])
    assert "odd (in 1 group of similar sequences)" in found["test"][1]
    assert found["validation"][0] == 2
    assert "rare (in 2 groups of similar sequences)" in found["validation"][1]


def test_a_label_that_a_part_of_random_rows_lacks_is_named_with_its_rows(tmp_path: Path) -> None:
    labels = ["rare", *["a", "b"] * 20]
    found = findings(record_of(tmp_path, labels, [""] * 41, kind="random"), "missing_labels")
    assert len(found) == 2
    assert all("rare (1 row in all)" in decision for _, decision in found.values())


def test_shares_that_a_large_cluster_makes_impossible_are_said(tmp_path: Path) -> None:
    clusters = ["big"] * 60 + [f"c{k}" for k in range(40)]
    record = record_of(tmp_path, ["a", "b"] * 50, clusters, fractions=(0.4, 0.3, 0.3))
    found = findings(record, "other_size")
    assert "60.0% of all instead of 40.0%" in found["train"][1]
    assert "the 59 similar to it are in 60% of the rows" in found["train"][1]


def test_shares_that_are_met_are_not_said(tmp_path: Path) -> None:
    record = record_of(tmp_path, ["a", "b"] * 50, [f"c{k}" for k in range(100)])
    assert not findings(record, "other_size")
    assert not findings(record, "missing_labels")
    assert {name: part["share"] for name, part in record["parts"].items()} == pytest.approx(
        {"train": 0.8, "validation": 0.1, "test": 0.1}
    )


def test_shares_that_rare_labels_prevent_name_the_labels(tmp_path: Path) -> None:
    labels = [f"class_{k % 18}" for k in range(40)]
    record = record_of(tmp_path, labels, [f"c{k}" for k in range(40)])
    found = findings(record, "other_size")
    assert set(found) == {"train", "validation", "test"}
    assert all("rows of every label" in decision for _, decision in found.values())


@pytest.mark.parametrize("kind", ["cluster", "random"])
def test_shares_that_few_rows_prevent_name_the_share_of_a_row(tmp_path: Path, kind: str) -> None:
    record = record_of(tmp_path, ["a", "b"] * 7, [f"c{k}" for k in range(14)], kind=kind)
    decisions = [decision for _, decision in findings(record, "other_size").values()]
    assert decisions
    assert all("one row more or less is 7.1% of all" in decision for decision in decisions)
