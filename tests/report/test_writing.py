import json
from pathlib import Path

import pytest

from peftide.errors import InputError
from peftide.report.writing import page_footer, page_header, read_summary, try_to_write
from peftide.saved import Versioned


@pytest.mark.loses_report
def test_a_failing_report_is_a_note(caplog: pytest.LogCaptureFixture) -> None:
    try_to_write(lambda: 1 / 0, otherwise="; try again")
    assert "ZeroDivisionError" in caplog.text
    assert caplog.messages[0].endswith("; try again")


def test_a_summary_is_read_or_its_command_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sweep\.json.*`peftide sweep`"):
        read_summary(tmp_path, "sweep.json", Versioned, command="sweep")
    (tmp_path / "sweep.json").write_text(json.dumps({"format_version": 1, "metric": "auroc"}))
    assert read_summary(tmp_path, "sweep.json", Versioned, command="sweep")["metric"] == "auroc"


def test_facts_without_a_value_are_left_out() -> None:
    header = page_header("train", "<b>", [("run", "a"), ("date", "")])
    assert "&lt;b&gt;" in header
    assert header.count("<dt>") == 1
    assert "1.2" in page_footer({"versions": {"peftide": "1.2"}}, Path("run"))
