"""Every command parses every file once."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from peftide.commands.audit import audit
from peftide.commands.predict import predict
from peftide.commands.split import split
from peftide.commands.train import train
from peftide.config import AuditConfig, PredictConfig, SplitConfig
from peftide.sequences import fasta, tables
from peftide.sequences.delimited import Grid
from peftide.splitting import rows
from tests.conftest import random_sequences, small_config, write_proteins, write_rows


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """Names of the files that are parsed, and how often."""
    counts: Counter[str] = Counter()

    def count(module: Any, name: str) -> None:
        original = getattr(module, name)

        def counted(path: Path, *arguments: Any, **options: Any) -> Grid:
            counts[path.name] += 1
            return original(path, *arguments, **options)

        monkeypatch.setattr(module, name, counted)

    count(tables, "read_text")
    count(fasta, "read_text")
    count(rows, "read_grid")
    return counts


@pytest.fixture
def pairs(tmp_path: Path) -> dict[str, Any]:
    """Options of a training on pairs by id; every part has other proteins."""
    write_proteins(tmp_path / "p.fasta", random_sequences(36, lengths=(20, 30)))
    for part, first in {"train": 0, "validation": 12, "test": 24}.items():
        found = [(f"p{first + k}", f"p{first + (k + 1) % 12}", k % 2) for k in range(12)]
        write_rows(tmp_path / f"{part}.tsv", "id_a id_b label", found)
    return {
        "train": tmp_path / "train.tsv",
        "validation": tmp_path / "validation.tsv",
        "test": (str(tmp_path / "test.tsv"),),
        "sequences": tmp_path / "p.fasta",
    }


EACH_ONCE = {"train.tsv": 1, "validation.tsv": 1, "test.tsv": 1, "p.fasta": 1}


def test_audit(pairs: dict[str, Any], parsed: Counter[str]) -> None:
    audit(AuditConfig(**pairs, similarity="none"))
    assert parsed == EACH_ONCE


def test_split(pairs: dict[str, Any], parsed: Counter[str], tmp_path: Path) -> None:
    config = {"input": (pairs["train"],), "out": tmp_path / "out", "kind": "random"}
    split(SplitConfig(sequences=pairs["sequences"], **config))
    assert parsed == {"train.tsv": 1, "p.fasta": 1}


@pytest.mark.parametrize("task", ["auto", "ppi"])
def test_train_on_pairs(
    pairs: dict[str, Any], parsed: Counter[str], tmp_path: Path, task: str
) -> None:
    (tmp_path / "unused").mkdir()
    config = small_config(tmp_path / "unused", "ppi", "head", epochs=1)
    train(type(config)(**(vars(config) | pairs | {"task": task, "baselines": ("none",)})))
    assert parsed == EACH_ONCE


def test_train_without_task_on_single_sequences_by_id(parsed: Counter[str], tmp_path: Path) -> None:
    write_proteins(tmp_path / "p.fasta", random_sequences(40, lengths=(20, 30)))
    parts = ["train"] * 24 + ["validation"] * 8 + ["test"] * 8
    found = [(f"p{k}", k % 2, part) for k, part in enumerate(parts)]
    table = write_rows(tmp_path / "all.tsv", "id label split", found)
    config = small_config(tmp_path, "binary", "head", epochs=1)
    changes = {"train": None, "validation": None, "test": (), "data": table, "task": "auto"}
    changes |= {"sequences": tmp_path / "p.fasta", "baselines": ("none",)}
    train(type(config)(**(vars(config) | changes)))
    assert parsed == {"all.tsv": 1, "p.fasta": 1}


def test_predict_of_a_fasta_file(parsed: Counter[str], trained: Any, tmp_path: Path) -> None:
    run = trained("binary", "head")
    write_proteins(tmp_path / "p.fasta", random_sequences(3))
    parsed.clear()
    predict(PredictConfig(run=run, input=tmp_path / "p.fasta", out=tmp_path / "s.tsv"))
    assert parsed == {"p.fasta": 1}
