from pathlib import Path

import pytest

from peftide.sequences.findings import say_findings
from peftide.sequences.records import Finding
from peftide.splitting.training_data import read_training_data
from tests.conftest import small_config, write_rows


def test_findings_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    table = write_rows(tmp_path / "t.tsv", "sequence label", [("mkv", 1), ("MKL*", 2), ("WW", 3)])
    config = small_config(tmp_path, "regression", "head", train=table)
    say_findings(read_training_data(config, "sequence").findings)
    assert "lower case" in caplog.text
    assert "trailing stop" in caplog.text


def test_a_finding_that_may_make_scores_wrong_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    say_findings((Finding("train", "similar_classes", 2, "one class twice"),))
    say_findings((Finding("train", "trailing_stops", 2, "removed"),))
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == [
        "warning",
        "note",
    ]


def test_the_first_place_is_said(caplog: pytest.LogCaptureFixture) -> None:
    finding = Finding("sequences", "nucleotide_like_sequences", 1, "kept", ("t.tsv:5", "t.tsv:7"))
    say_findings((finding,))
    assert "1 nucleotide-like sequence: kept (for instance t.tsv:5)" in caplog.text
