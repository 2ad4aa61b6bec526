from pathlib import Path
from typing import Any

import pytest

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.planning.tables import check_request, with_table
from tests.conftest import write_proteins


def test_sequences_alone_are_a_table_of_their_own(tmp_path: Path) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", ["MKV", "WWA", "GGG"])
    config = TrainConfig(sequences=fasta, out=tmp_path / "run")
    filled, notes = with_table(config, tmp_path)
    assert filled.task == "regression"
    assert filled.train is not None
    assert filled.train.read_text().split() == ["id", "label", "p0", "0", "p1", "1", "p2", "0"]
    assert "p.fasta" in notes[0]
    with pytest.raises(InputError, match="no training table"):
        with_table(TrainConfig(task="ppi", sequences=fasta, out=tmp_path / "run"), tmp_path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": Path("absent.tsv")}, "absent.tsv: no such file"),
        ({"sequences": Path("absent.fasta")}, "absent.fasta: no such file"),
        ({}, "no training table"),
        ({"data": Path(__file__), "task": "ppi", "classes": ("a", "b")}, "--classes"),
        ({"data": Path(__file__), "task": "pppi"}, "Did you mean ppi"),
    ],
)
def test_files_and_options_are_refused_before_a_table_is_read(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        check_request(TrainConfig(out=tmp_path / "run", **options))
