from pathlib import Path

import pytest

from peftide.cli import main
from peftide.config import TrainConfig, from_mapping, read_yaml, to_yaml
from tests.conftest import small_config


def test_training_prints_its_scores_and_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(tmp_path, "ppi", "head")
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    assert main(["train", "--config", str(tmp_path / "c.yaml"), "--epochs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["validation", "test"]
    assert lines[1].startswith("average precision ")
    assert "examples scored: validation 8, test 8" in lines
    assert "average precision compared with others, test" in lines
    assert lines[-2] == "note: test: no intervals: only 8 proteins: intervals need 10"
    assert lines[-1] == f"run folder: {config.out}"
    written = from_mapping(TrainConfig, read_yaml(config.out / "config.yaml"))
    assert written.epochs == 1
    assert written.lora_r == config.lora_r
