from pathlib import Path

import pytest

from peftide.sequences.findings import say_findings
from peftide.splitting.training_data import read_training_data
from tests.conftest import small_config, write_rows


def test_findings_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = write_rows(tmp_path / "t.tsv", "sequence label", [("mkv", 1), ("MKL*", 2), ("WW", 3)])
    config = small_config(tmp_path, "regression", "head", train=table)
    say_findings(read_training_data(config, "sequence").findings)
    assert "lower case" in caplog.text
    assert "trailing stop" in caplog.text
