import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from peftide.errors import InputError
from peftide.report.comparison import write_comparison

ROW: dict[str, Any] = {
    **{"method": "lora", "backbone": "<b>mini", "layer": "last", "seeds": 2, "score": 0.61},
    **{"low": 0.6, "high": 0.62, "spread": 0.01, "validation": 0.6, "trained_parameters": 1234},
    **{"memory_mb": 100, "seconds": 120.0, "size_mb": 1.5, "status": "trained"},
}
BOARD: dict[str, Any] = {
    "format_version": 1,
    "part": "test",
    "metric": "average_precision",
    "chosen": "head_mini",
    "rows": [
        {**ROW, "name": "lora_mini", "difference": 0.01, "verdict": "spans 0"},
        {**ROW, "name": "head_mini", "method": "head", "seconds": 3.0, "score": 0.6},
        {"name": "kmer", "method": "kmer", "backbone": "none", "score": 0.5, "status": "baseline"},
        {
            "name": "full_mini",
            "method": "full",
            "backbone": "mini",
            "score": None,
            "status": "skipped",
        },
    ],
    "verdict": ["Chosen on validation: head.", "lora is not distinguishable from head."],
    "notes": ["full_mini: skipped: it needs 90 GB"],
}


class Reader(HTMLParser):
    """Collects tags and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(path: Path) -> Reader:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def test_the_page_shows_board_verdict_and_what_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "comparison.json").write_text(json.dumps(BOARD))
    found = read(write_comparison(tmp_path))
    text = " ".join(found.text)
    for said in (
        "Chosen on validation: head.",
        "3\u2011mers",
        "1,234",
        "it needs 90 GB",
        "<b>mini",
    ):
        assert said in text
    assert "b" not in found.tags  # what a user named is never markup
    assert found.tags.count("tbody") == 2
    assert found.tags.count("svg") == 1 + 1 + 3  # picture, scale, one strip per scored row


@pytest.mark.parametrize(
    ("task", "words"), [("ppi", "--sequences proteins.fasta"), ("binary", "--input new.fasta")]
)
def test_the_next_command_fits_the_task(tmp_path: Path, task: str, words: str) -> None:
    (tmp_path / "comparison.json").write_text(json.dumps(BOARD))
    (tmp_path / "config.yaml").write_text(f"task: {task}\n")
    assert words in " ".join(read(write_comparison(tmp_path)).text)


def test_a_folder_without_a_comparison_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"comparison\.json"):
        write_comparison(tmp_path)
