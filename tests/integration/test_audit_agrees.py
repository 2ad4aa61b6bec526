"""A training and `peftide audit` give one verdict on the same files."""

import json
from pathlib import Path

import pytest

from peftide import AuditConfig, TrainConfig, audit, train
from tests.conftest import TINY, write_rows
from tests.similarity.conftest import random_proteins, relatives


@pytest.mark.parametrize("level", ["sequence", "residue"])
def test_a_training_counts_the_similar_proteins_of_an_audit(tmp_path: Path, level: str) -> None:
    old, new = random_proteins(24, length=60), random_proteins(16, length=60, seed=9)
    cousins = relatives(old[:3], changed=0.4)
    parts = [("train", old), ("validation", new[:8]), ("test", [*cousins, *new[8:]])]
    rows = [
        (text, ("HE" if k % 2 else "EH") * 30 if level == "residue" else k % 2, part)
        for part, texts in parts
        for k, text in enumerate(texts)
    ]
    table = write_rows(tmp_path / "t.tsv", "sequence label split", rows)
    audited = audit(AuditConfig(data=table, threads=1))
    run = tmp_path / "run"
    train(TrainConfig(data=table, out=run, backbone=TINY, method="head", epochs=1, threads=1))
    record = json.loads((run / "audit.json").read_text())
    said = {(v["part"], v["text"]) for v in record["verdicts"] if v["kind"] == "similar_proteins"}
    assert said == {(v.part, v.text) for v in audited.verdicts if v.kind == "similar_proteins"}
    assert any(text.startswith("3 of 11 proteins") for _, text in said)
