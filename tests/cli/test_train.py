import hashlib
import json
import os
import re
import shlex
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from peftide.cli import main
from peftide.cli.train import audit_lines
from peftide.config import TrainConfig, from_mapping, read_yaml, to_yaml
from tests.conftest import small_config


def test_training_prints_its_scores_and_where_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(tmp_path, "ppi", "head")
    (tmp_path / "c.yaml").write_text(to_yaml(config))
    assert main(["train", "--config", str(tmp_path / "c.yaml"), "--epochs", "1"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].split() == ["validation", "test"]
    assert lines[1].startswith("average precision ")
    assert "examples scored: validation 8, test 8" in lines
    assert "average precision compared with others, test" in lines
    assert "note: test: no intervals: only 8 proteins: intervals need 10" in lines
    assert any(line.startswith("verdict: test: no evidence of a difference") for line in lines)
    (audit,) = [k for k, line in enumerate(lines) if line.startswith("audit: ")]
    assert all(line.startswith("  ") for line in lines[audit + 1 : -2])
    assert lines[-2:] == [f"run folder: {config.out}", f"report: {config.out / 'report.html'}"]
    (command,) = re.findall(r"^next: peftide (.*)$", captured.err, re.MULTILINE)
    assert "new_pairs.tsv stands for a file of your own with new pairs." in captured.err
    sequence = "MKVLAMKVLA"
    Path("new_pairs.tsv").write_text(f"sequence_a\tsequence_b\n{sequence}\t{sequence[1:]}\n")
    assert main(shlex.split(command)) == 0
    assert capsys.readouterr().out.startswith("1 row: ")
    written = from_mapping(TrainConfig, read_yaml(config.out / "config.yaml"))
    assert written.epochs == 1
    assert written.lora_r == config.lora_r


def test_a_table_through_a_pipe_is_trained_on_but_not_resumed_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = small_config(tmp_path, "binary", "head")
    assert isinstance(config.train, Path)
    content, pipe = config.train.read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    (tmp_path / "c.yaml").write_text(to_yaml(replace(config, train=pipe, baselines=("none",))))
    assert main(["train", "--config", str(tmp_path / "c.yaml"), "--epochs", "1"]) == 0
    writer.join()
    digest = hashlib.sha256(content).hexdigest()
    assert json.loads((config.out / "run.json").read_text())["data"][str(pipe)] == digest
    assert main(["train", "--resume", "--out", str(config.out)]) == 2
    assert f"{pipe} was a pipe, whose content is gone" in capsys.readouterr().err


def test_the_audit_says_each_leak_and_warning_with_its_own_part_and_severity() -> None:
    verdicts = [
        {"severity": "warning", "kind": "similar_proteins", "part": "test", "text": "25 of 500"},
        {"severity": "leak", "kind": "similar_proteins", "part": "validation", "text": "11 of 150"},
        {"severity": "warning", "kind": "shared_rows", "part": "validation", "text": "1 row"},
        {"severity": "warning", "kind": "shared_rows", "part": "test", "text": "1 row"},
        {"severity": "note", "kind": "self_pairs", "part": "test", "text": "1 self pair"},
        {"severity": "ok", "kind": "crops", "part": "train", "text": "fine"},
    ]
    audit = {"conclusion": "1 leak, 3 warnings, 1 note", "verdicts": verdicts}
    assert list(audit_lines(audit)) == [
        "audit: 1 leak, 3 warnings, 1 note",
        "  leak: validation: 11 of 150",
        "  warning: test: 25 of 500",
        "  warning: validation, test: 1 row",
    ]
    advised = [verdicts[0] | {"advice": "Split by site", "text": text} for text in ("a", "b")]
    assert list(audit_lines({"conclusion": "2 warnings", "verdicts": advised})) == [
        "audit: 2 warnings",
        "  warning: test: a",
        "    → Split by site",
        "  warning: test: b",
    ]
