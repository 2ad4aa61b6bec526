import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.cli import main

Trained = Callable[[str, str], Path]


def test_scores_are_printed_and_their_folder_is_named(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = trained("regression", "head"), tmp_path / "scores"
    words = f"evaluate {run} --input {run.parent / 'test.tsv'} --out {out} --threads 1"
    assert main(words.split()) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0].split() == ["test"]
    assert any(line.startswith("Spearman correlation ") for line in lines)
    assert lines[-2] == f"scores and predictions: {out}"
    assert lines[-1] == f"report: {out / 'report.html'}"
    (command,) = re.findall(r"^next: peftide (.*)$", captured.err, re.MULTILINE)
    Path("new.fasta").write_text(">a\nMKVLA\n")
    assert main(shlex.split(command)) == 0
