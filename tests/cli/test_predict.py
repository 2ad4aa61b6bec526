import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from peftide.cli import main
from peftide.cli.predict import next_commands
from peftide.config import PredictConfig

Trained = Callable[[str, str], Path]


def test_the_table_alone_goes_to_standard_output(
    trained: Trained, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained("ppi", "head")
    assert main(f"predict {run} --input {run.parent / 'test.tsv'} --threads 1".split()) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[0] == "id_a\tid_b\tlabel\tscore\tprobability\tprediction"
    assert [line.count("\t") for line in lines] == [5] * 9
    (command,) = re.findall(r"^next: peftide (.*)$", captured.err, re.MULTILINE)
    assert main([*shlex.split(command), "--shared-proteins", "allow"]) == 0


def test_with_a_file_its_name_is_said(
    trained: Trained, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, out = trained("ppi", "head"), tmp_path / "p.tsv"
    words = f"predict {run} --input {run.parent / 'test.tsv'} --out {out} --threads 1"
    assert main(words.split()) == 0
    captured = capsys.readouterr()
    assert captured.out == f"8 rows: {out}\n"
    assert f"next: peftide evaluate {run} --input {run.parent / 'test.tsv'} " in captured.err
    assert len(out.read_text().splitlines()) == 9


def test_the_next_command_explains_an_answer_to_new_rows_or_rows_of_the_training(
    trained: Trained, tmp_path: Path
) -> None:
    run, answers = trained("binary", "head"), pd.DataFrame({"id": ["a b", "c"]})
    config = PredictConfig(run=run, input=tmp_path / "new.tsv", out=tmp_path / "p.tsv.gz")
    words = ["peftide", "explain", str(run), "--input", str(config.input), "--ids", "a b"]
    assert next_commands(config, answers) == [[*words, "--out", f"{run}_explained"]]
    training = replace(config, input=run.parent / "train.tsv", out=Path("p.tsv"))
    (words,) = next_commands(training, answers.assign(label="1"))
    assert words[1] == "explain"
    printed = replace(config, out=None)
    (words,) = next_commands(printed, answers)
    assert words[:5] == ["peftide", "predict", str(run), "--input", str(config.input)]
    assert words[5:] == ["--out", f"{run}_predictions.tsv"]


def test_answers_about_variants_lead_to_all_substitutions(trained: Trained, tmp_path: Path) -> None:
    run = trained("variants", "head")
    config = PredictConfig(run=run, input=tmp_path / "m.tsv", out=tmp_path / "p.tsv")
    (words,) = next_commands(config, pd.DataFrame({"id": ["A1G"]}))
    assert words == ["peftide", "mutate", str(run), "--out", f"{run}_designs"]
