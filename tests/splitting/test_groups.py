from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.config import SplitConfig
from peftide.splitting.groups import join_linked, protein_groups
from peftide.splitting.rows import SplitRows, read_rows
from tests.conftest import random_sequences, write_rows


@pytest.fixture(autouse=True)
def no_mmseqs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Search with what comes with peftide, which is faster on a handful of sequences."""
    monkeypatch.setenv("PATH", "")


SEQUENCES = random_sequences(3, lengths=(40, 50))
SEQUENCES = [*SEQUENCES, SEQUENCES[0]]


def rows_of(folder: Path, column: list[str], **options: Any) -> tuple[SplitRows, SplitConfig]:
    table = write_rows(
        folder / "s.tsv",
        "id sequence label cluster",
        [(f"s{k}", text, 1, column[k]) for k, text in enumerate(SEQUENCES)],
    )
    config = SplitConfig(input=(table,), out=folder / "out", **options)
    return read_rows(config), config


def test_a_column_joins_its_clusters_and_identical_sequences(tmp_path: Path) -> None:
    # s0 and s3 are one sequence, so c0 and c1 hold together
    groups = protein_groups(*rows_of(tmp_path, ["c0", "c1", "", "c1"]))
    assert groups.of_protein.tolist() == [0, 0, 1, 0]
    assert groups.record == {"by": "column cluster", "groups": 2, "largest": 3}
    assert groups.representatives().tolist() == [0, 0, 2, 0]


def test_empty_cells_join_nothing(tmp_path: Path) -> None:
    groups = protein_groups(*rows_of(tmp_path, ["", "", "", ""]))
    assert groups.of_protein.tolist() == [0, 1, 2, 0]


def test_a_file_goes_before_the_column(tmp_path: Path) -> None:
    table = tmp_path / "c.tsv"
    table.write_text("s1\ts1\ns1\ts2\n")
    rows, config = rows_of(tmp_path, ["x", "x", "x", "x"], clusters=table)
    groups = protein_groups(rows, config)
    assert groups.of_protein.tolist() == [0, 1, 1, 0]
    assert groups.record["by"] == str(table)


@pytest.mark.parametrize("similarity", ["none", "pyopal"])
def test_without_either_similarity_decides(tmp_path: Path, similarity: str) -> None:
    table = write_rows(
        tmp_path / "s.tsv", "id sequence", [(f"s{k}", text) for k, text in enumerate(SEQUENCES)]
    )
    options: Any = {"similarity": similarity, "threads": 1}
    config = SplitConfig(input=(table,), out=tmp_path / "out", **options)
    groups = protein_groups(read_rows(config), config)
    assert groups.record["groups"] == 3
    assert groups.of_protein[0] == groups.of_protein[3]


def test_chains_of_links_are_one_group() -> None:
    groups = join_linked(6, np.array([[0, 1], [4, 1], [2, 5]]))
    assert groups[0] == groups[1] == groups[4]
    assert groups[2] == groups[5]
    assert len(set(groups.tolist())) == 3


def test_without_links_everything_is_alone() -> None:
    assert join_linked(3, np.zeros((0, 2), dtype=np.int64)).tolist() == [0, 1, 2]
