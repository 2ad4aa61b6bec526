"""The record of an audit, and the audit of a training."""

import json
from pathlib import Path

import numpy as np

from peftide.auditing import SEVERITIES, AuditResult, audit_known, audit_training, judge
from peftide.config import TrainConfig
from peftide.splitting.training_data import read_training_data
from tests.auditing.conftest import Make
from tests.conftest import random_sequences, write_rows
from tests.similarity.conftest import random_proteins


def test_the_record_counts_verdicts_and_holds_all_of_them(make: Make):
    rows = [("MK", "ML", 1, "train"), ("MV", "ML", 0, "train"), ("MK", "MA", 1, "test")]
    subject = make(rows)
    result = AuditResult(subject, judge(subject, None), None)
    record = json.loads(json.dumps(result.record()))
    assert list(record["counts"]) == list(SEVERITIES)
    assert sum(record["counts"].values()) == len(record["verdicts"])
    assert record["counts"]["leak"] == len(result.leaks) == 1
    assert record["parts"]["train"] | {"file": ""} == {"rows": 2, "proteins": 3, "file": ""}
    assert (record["labels"], record["similarity"]) == ("yes_no", None)


def test_without_another_part_there_is_no_verdict_on_leaks(make: Make):
    subject = make([("MK", "ML", 1, "train"), ("MV", "ML", 0, "train")])
    said = AuditResult(subject, judge(subject, None), None).conclusion
    assert said.startswith("nothing was compared: train is the only part")
    assert "no leak" not in said


def test_proteins_that_a_training_held_out_itself_are_no_leak(tmp_path: Path):
    names = random_sequences(6, seed=3)
    rows = [(a, b, (i + j) % 2) for i, a in enumerate(names) for j, b in enumerate(names)]
    table = write_rows(tmp_path / "t.tsv", "sequence_a sequence_b label", rows)
    config = TrainConfig(task="ppi", train=table, out=tmp_path / "run", validation_kind="random")
    result = audit_training(read_training_data(config, "pair"), pairs=True, max_length=None)
    (found,) = [v for v in result.verdicts if v.kind == "shared_proteins"]
    assert (found.part, found.severity) == ("validation", "warning")
    assert "--validation-kind none_seen" in found.advice
    assert not result.leaks


def test_an_evaluation_is_judged_by_what_the_training_knew(make: Make):
    texts = random_proteins(4)
    rows = [(texts[0], texts[1], 1, "test"), (texts[2], texts[3], 0, "test")]
    dataset = make(rows).dataset
    seen, similarity = np.array([True, False, False, False]), np.array([1.0, 0.5, 0.0, 0.0])
    record = audit_known(dataset, pairs=True, seen=seen, similarity=similarity, tool="pyopal 0")
    assert record["conclusion"] == "2 leaks"
    shared, similar = record["verdicts"]
    assert shared["numbers"]["count"] == similar["numbers"]["count"] == 1
    assert similar["numbers"]["highest_identity"] == 0.5
    assert "of the shorter protein (pyopal 0)" in similar["text"]
    assert record["similarity"] == {"tool": "pyopal 0"}
    unsearched = audit_known(dataset, pairs=True, seen=np.zeros(4, dtype=bool), similarity=None)
    assert unsearched["similarity"] is None
    assert unsearched["conclusion"].startswith("no leak among identical sequences")
    assert unsearched["conclusion"].endswith("similar proteins were not searched")
