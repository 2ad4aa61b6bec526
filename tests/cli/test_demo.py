from pathlib import Path

import pandas as pd

from peftide.cli.demo import has_leak, table_lines
from peftide.commands.demo import DemoResult


def test_the_table_has_score_baseline_and_cost() -> None:
    row = {
        "task": "ppi",
        "method": "lora",
        "metric": "average_precision",
        "test": 0.98765,
        "composition": 0.5,
        "trained_parameters": 107009,
        "added_memory_mb": 1072,
        "seconds": 31.6,
    }
    result = DemoResult(pd.DataFrame([row]), pd.DataFrame(), Path())
    header, line, note, memory = table_lines(result)
    assert header.split() == ["task", "method", "score", "composition", "trained", "memory", "time"]
    assert line.split() == ["ppi", "lora", "0.988", "0.500", "107,009", "1,072", "MB", "32", "s"]
    assert "average precision" in note
    assert "peak minus" in memory


def test_only_a_leak_makes_a_red_box_that_needs_a_word() -> None:
    assert not has_leak({"verdicts": [{"severity": "warning"}, {"severity": "ok"}]})
    assert has_leak({"verdicts": [{"severity": "warning"}, {"severity": "leak"}]})
