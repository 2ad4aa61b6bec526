"""Run folders made by hand, so that every number in them is known."""

import json
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from peftide.outcomes import OUTCOMES
from peftide.report.read import Part
from peftide.report.tables import Section

VOID = {"br", "col", "hr", "img", "link", "meta"}
NASTY = "<script>alert('x')</script>&\"\x00"


def entry(value: float | None, n: int = 100, **more: Any) -> dict[str, Any]:
    """One score of `metrics.json`, without interval unless given."""
    return {"value": value, "low": None, "high": None, "n": n} | more


def make_part(kind: str, truth: Any, answers: Any, **more: Any) -> Part:
    """A part with ids a0, a1, …"""
    rows = {"id": np.array([f"a{k}" for k in range(len(truth))], dtype=object)}
    options: dict[str, Any] = {"class_names": (), "rows": rows, "strata": {}} | more
    truth, answers = np.asarray(truth, dtype=float), np.asarray(answers, dtype=float)
    return Part("test", outcome=OUTCOMES[kind], truth=truth, answers=answers, **options)


def write_tsv(path: Path, header: str, rows: Sequence[Sequence[object]]) -> None:
    """Write a table whose cells hold no tab."""
    lines = [header.split(), *rows]
    path.write_text("\n".join("\t".join(map(str, row)) for row in lines) + "\n")


def write_run(folder: Path, metrics: dict[str, Any], **record: Any) -> Path:
    """A run folder with scores (of yes or no, unless given) and a record, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    known = {"format_version": 2, "outcome": "binary"}
    (folder / "metrics.json").write_text(json.dumps(known | metrics))
    (folder / "run.json").write_text(
        json.dumps({"command": "train", "status": "finished"} | record)
    )
    return folder


def binary_run(folder: Path, rows: int = 60) -> Path:
    """A run of pairs with everything that a training writes."""
    generator = np.random.default_rng(0)
    truth = np.arange(rows) % 2
    probability = np.clip(0.3 * truth + generator.uniform(0, 0.7, rows), 0, 1)
    splits = {"average_precision": entry(0.7, rows), "prevalence": entry(0.5, rows)}
    metrics = {
        "headline": "average_precision",
        "threshold": 0.5,
        "splits": {"test": splits},
        "baselines": {"composition": {"test": {"average_precision": entry(0.6, rows)}}},
    }
    write_run(folder, metrics, best_epoch=2, epochs=2, chosen=["epochs", "out", "task"])
    write_tsv(
        folder / "predictions.tsv",
        "id_a id_b label score probability prediction split counted",
        [
            (f"a{k}", f"b{k}", truth[k], 0.1, f"{p:.4f}", int(p >= 0.5), "test", 1)
            for k, p in enumerate(probability)
        ],
    )
    write_tsv(
        folder / "strata.tsv",
        "truth length seen pairs_in_part",
        [(truth[k], 50 + k, "none_seen", 1 + k % 5) for k in range(rows)],
    )
    (folder / "history.csv").write_text(
        "epoch,step,train_loss,average_precision\n1,5,0.7,0.6\n2,10,0.6,0.7\n"
    )
    (folder / "config.yaml").write_text("task: ppi\nmethod: lora\nbackbone: mini\nepochs: 2\n")
    return folder


class Outline(HTMLParser):
    """What a page consists of; it fails on tags that do not close in order."""

    def __init__(self, text: str | Section) -> None:
        super().__init__(convert_charrefs=True)
        text = text.markup() if isinstance(text, Section) else text
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(set(names)) == len(names), f"{tag}: an attribute twice in {names}"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for name, attributes in self.tags if name == tag]

    def text(self, *inside: str) -> str:
        """All text, or that directly in elements of some names."""
        return "".join(words for tag, words in self.words if not inside or tag in inside)


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """A finished run of pairs."""
    return binary_run(tmp_path / "run")
