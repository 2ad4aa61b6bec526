import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peftide.commands.train import train
from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.run_folder import RunFolder
from peftide.sequences.training_tables import read_training_tables
from peftide.tasks import TASKS
from peftide.tasks.detecting import with_task
from tests.conftest import small_config, write_proteins, write_rows


def detected(config: TrainConfig) -> TrainConfig:
    return with_task(config, read_training_tables(config))


def auto_config(folder: Path, task: str, method: str, **changes: Any) -> TrainConfig:
    return replace(small_config(folder, task, method, **changes), task="auto")


@pytest.mark.parametrize("name", TASKS)
def test_every_task_is_recognised_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    config = auto_config(tmp_path, name, "head")
    with caplog.at_level(logging.INFO):
        assert detected(config).task == name
    (line,) = [message for message in caplog.messages if message.startswith("task: ")]
    assert line.startswith(f"task: {name}, because the labels of ")


def test_a_task_that_is_named_stays(tmp_path: Path) -> None:
    config = small_config(tmp_path, "multiclass", "head")
    assert detected(config) is config


def test_sequences_may_stand_in_a_fasta_file(tmp_path: Path) -> None:
    write_proteins(tmp_path / "p.fasta", ["MKVL", "MKV"])
    table = write_rows(tmp_path / "t.tsv", "id label", [("p0", "HHEE"), ("p1", "HEE")])
    config = auto_config(tmp_path, "residue", "head", train=table, sequences=tmp_path / "p.fasta")
    assert detected(config).task == "residue"


def test_labels_of_the_training_rows_decide(tmp_path: Path) -> None:
    rows = [("MKV", 1, "train"), ("MKL", 0, "train"), ("MKI", 0.5, "test")]
    table = write_rows(tmp_path / "t.tsv", "sequence label split", rows)
    config = auto_config(
        tmp_path, "binary", "head", train=None, validation=None, test=(), data=table
    )
    assert detected(config).task == "binary"


def test_the_run_records_the_task_and_resumes_with_it(tmp_path: Path) -> None:
    config = auto_config(tmp_path, "binary", "head", epochs=1)
    run = train(config)
    assert "task: binary" in RunFolder(run.path).config.read_text()
    again = train(auto_config(tmp_path, "binary", "head", epochs=1, resume=True))
    assert again.metrics == run.metrics


def test_unclear_labels_name_the_table(tmp_path: Path) -> None:
    rows = [("MKV" + "A" * k, k % 4) for k in range(12)]
    table = write_rows(tmp_path / "t.tsv", "sequence label", rows)
    with pytest.raises(InputError, match=r"t\.tsv: the labels are whole numbers from 0 to 3"):
        train(auto_config(tmp_path, "multiclass", "head", train=table))


def test_without_a_table_there_is_nothing_to_detect() -> None:
    with pytest.raises(InputError, match="no training table; expected --train FILE"):
        detected(TrainConfig(out=Path("run")))
