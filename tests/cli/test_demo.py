from pathlib import Path

import pandas as pd

from peftide.cli.demo import has_leak, table_lines
from peftide.commands.demo import DemoResult

COSTS = ["trained", "memory", "time"]


def test_the_table_has_score_baseline_and_cost() -> None:
    row = {
        "task": "ppi",
        "method": "lora",
        "metric": "average_precision",
        "test": 0.98765,
        "composition": 0.5,
        "best_baseline": "kmer",
        "best_baseline_test": 0.9996,
        "trained_parameters": 107009,
        "added_memory_mb": 1072,
        "seconds": 31.6,
    }
    result = DemoResult(pd.DataFrame([row]), "lora", pd.DataFrame(), Path())
    header, line, *notes, memory = table_lines(result)
    assert header.split()[2:] == ["score", "composition", "best", "baseline", *COSTS]
    cells = ["ppi", "lora", "0.988", "0.500", "kmer", "1.000", "107,009", "1,072", "MB", "32", "s"]
    assert line.split() == cells
    assert "average precision" in notes[0]
    assert "peak minus" in memory


def test_only_a_leak_makes_a_red_box_that_needs_a_word() -> None:
    assert not has_leak({"verdicts": [{"severity": "warning"}, {"severity": "ok"}]})
    assert has_leak({"verdicts": [{"severity": "warning"}, {"severity": "leak"}]})
