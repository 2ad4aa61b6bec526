from collections.abc import Callable
from pathlib import Path

import pytest

from peftide.cli import main

Trained = Callable[[str, str], Path]


def test_the_table_alone_goes_to_standard_output(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("ppi", "head")
    assert main(f"predict {run} --input {run.parent / 'test.tsv'} --threads 1".split()) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "id_a\tid_b\tlabel\tscore\tprobability\tprediction"
    assert [line.count("\t") for line in lines] == [5] * 9


def test_with_a_file_its_name_is_said(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = trained("ppi", "head"), tmp_path / "p.tsv"
    words = f"predict {run} --input {run.parent / 'test.tsv'} --out {out} --threads 1"
    assert main(words.split()) == 0
    assert capsys.readouterr().out == f"8 rows: {out}\n"
    assert len(out.read_text().splitlines()) == 9
