"""The design's promise of half precision: on real proteins, a score changes by at most .002."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from peftide.commands.train import train
from peftide.config import TrainConfig

LARGEST_CHANGE = 0.002


@dataclass(frozen=True)
class Small:
    """A few rows of a real data set.

    Attributes
    ----------
    table
        File in the data folder.
    column
        Column with the parts.
    rows
        Rows of train, validation and test.
    options
        Further options of the training.
    """

    table: str
    column: str
    rows: tuple[int, int, int]
    options: dict[str, Any]


SETS = {
    "secondary structure": Small(
        "tasks/secondary_structure/data.tsv.xz",
        "split",
        (60, 20, 120),
        {"task": "residue", "max_length": 64, "epochs": 6, "batch_size": 8},
    ),
    "GB1": Small(
        "tasks/gb1/data.tsv.xz",
        "two_vs_rest",
        (300, 40, 600),
        {"task": "regression", "label_column": "target", "max_length": 56, "epochs": 6},
    ),
    "yeast": Small(
        "ppi_yeast/du_0_to_1.tsv",
        "split",
        (300, 60, 900),
        {"task": "ppi", "max_length": 64, "epochs": 6, "shared_proteins": "allow"},
    ),
}


def written(small: Small, data: Path, path: Path) -> Path:
    rows = pd.read_csv(data / small.table, sep="\t", dtype=str)
    if "id_a" in rows:
        rows = rows[rows["id_a"] != rows["id_b"]]
    parts = rows.pop(small.column).replace("valid", "validation")
    if "validation" not in set(parts):
        parts = parts.mask((parts == "train") & (rows.index % 8 == 0), "validation")
    drawn = [
        rows[parts == part].sample(count, random_state=0).assign(split=part)
        for part, count in zip(("train", "validation", "test"), small.rows, strict=True)
    ]
    pd.concat(drawn).to_csv(path, sep="\t", index=False)
    return path


@pytest.mark.parametrize("name", SETS)
def test_a_score_hardly_changes_in_half_precision(name: str, data: Path, tmp_path: Path) -> None:
    """Frozen `mini`, its matrices in bf16, and a head with the same seed."""
    small, found = SETS[name], {}
    table = written(small, data, tmp_path / "table.tsv")
    options = small.options | (
        {"sequences": data / "ppi_yeast" / "sequences.fasta"} if name == "yeast" else {}
    )
    for precision in ("fp32", "bf16"):
        config = TrainConfig(
            data=table,
            out=tmp_path / precision,
            method="head",
            baselines=("none",),
            precision=precision,
            device="cpu",
            threads=1,
            **options,
        )
        metrics = train(config).metrics
        found[precision] = metrics["splits"]["test"][metrics["headline"]]["value"]
    assert 0.1 < found["fp32"] < 1
    assert found["bf16"] == pytest.approx(found["fp32"], abs=LARGEST_CHANGE)
