import json
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.report import write_report
from tests.report.test_comparison import BOARD


def test_the_report_of_a_comparison_is_written_again_under_its_title(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"command": "compare", "format_version": 1}))
    (tmp_path / "comparison.json").write_text(json.dumps(BOARD))
    (tmp_path / "config.yaml").write_text("title: Yeast <script>\n")
    path = write_report(tmp_path)
    assert "<h1>Yeast &lt;script&gt;</h1>" in path.read_text()
    assert "<h1>Another</h1>" in write_report(tmp_path, title=" Another\n").read_text()


@pytest.mark.parametrize(
    ("command", "missing"),
    [("compare", "comparison.json"), ("sweep", "sweep.json"), ("train", "metrics.json")],
)
def test_a_folder_without_results_is_an_error(tmp_path: Path, command: str, missing: str) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"command": command, "format_version": 1}))
    with pytest.raises(InputError, match=missing):
        write_report(tmp_path)
