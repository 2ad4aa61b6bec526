import os
import shlex
from pathlib import Path

import pytest

from peftide.cli.closing import (
    beside,
    changed_words,
    free_path,
    next_prediction,
    option_words,
    predict_command,
    reading_words,
    say_next,
    say_next_prediction,
    say_written,
)
from peftide.config import AuditConfig, EvaluateConfig, PredictConfig, SplitConfig, TrainConfig


def test_written_files_go_to_standard_output_and_the_next_command_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("a b").mkdir()
    Path("a b/report.html").touch()
    say_written(run_folder=Path("a b"), report=Path("a b/report.html"))
    say_written(report=Path("lost.html"))
    say_next(["peftide", "predict", "a b"], hint="Replace the table.")
    captured = capsys.readouterr()
    assert captured.out == "run folder: a b\nreport: a b/report.html\n"
    assert captured.err == "Replace the table.\nnext: peftide predict 'a b'\n"
    say_next(hint="not without a command")
    assert capsys.readouterr().err == ""


def test_options_that_another_command_needs_to_read_a_table() -> None:
    config = SplitConfig(
        input=(Path("t.tsv"),),
        out=Path("parts"),
        sequences=Path("my p.fasta"),
        missing="drop",
        label_column="fitness",
        split_column="fold",
        kind="random",
    )
    shared = ["--sequences", "my p.fasta", "--missing", "drop", "--label-column", "fitness"]
    assert sorted(reading_words(config, TrainConfig)) == sorted([*shared, "--split-column", "fold"])
    assert sorted(reading_words(config, PredictConfig)) == sorted(shared)
    audit = [word for word in shared if word not in ("--missing", "drop")]
    assert sorted(reading_words(config, AuditConfig)) == sorted([*audit, "--split-column", "fold"])


def test_words_of_options_build_the_same_config() -> None:
    config = TrainConfig(
        out=Path("run"), lora_targets=("query", "key"), max_length=None, overwrite=True, epochs=3
    )
    names = [name for name in vars(config) if name != "out"]
    assert changed_words(config, names) == shlex.split(
        "--overwrite --epochs 3 --lora-targets query,key --max-length none"
    ) or sorted(changed_words(config, names)) == sorted(
        shlex.split("--overwrite --epochs 3 --lora-targets query,key --max-length none")
    )
    assert option_words(config, ["epochs"], reader=PredictConfig) == []


def test_outputs_of_next_commands_do_not_exist() -> None:
    Path("run_predictions.tsv").touch()
    Path("run_predictions_2.tsv").symlink_to("nowhere")
    assert beside(Path("run"), "_predictions.tsv") == Path("run_predictions_3.tsv")
    assert beside(Path(), "_scores").name == f"{Path.cwd().name}_scores"
    assert free_path("my_run") == Path("my_run")


def test_a_pipe_is_not_read_again(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    config = EvaluateConfig(run=Path("run"), input=tmp_path / "pipe", out=Path("scores"))
    assert predict_command(Path("run"), tmp_path / "pipe", config) == []


@pytest.mark.parametrize(
    ("content", "command", "what"),
    [
        ("task: multiclass", "predict run --input new.fasta --out run_answers.tsv", "proteins"),
        ("task: multiclass\nid_column: name", "predict run --input new.fasta", "proteins"),
        (
            "task: ppi\nsequences: p.fasta\nid_a_column: bait\nlabel_column: y\nmissing: drop",
            "predict run --input new_pairs.tsv --sequences p.fasta --id-a-column bait --out",
            "pairs",
        ),
        ("task: ppi", "predict run --input new_pairs.tsv --out", "pairs"),
        ("task: variants", "mutate run --out run_designs", ""),
    ],
)
def test_a_model_is_used_on_new_data_next(content: str, command: str, what: str) -> None:
    Path("run").mkdir()
    stored = content.replace("p.fasta", str(Path("p.fasta").absolute()))  # as a run keeps it
    Path("run/config.yaml").write_text(f"out: run\n{stored}\n")
    words, hint = next_prediction(Path("run"))
    assert " ".join(words).startswith(f"peftide {command}")
    assert hint.endswith(f"with new {what}." if what else "")


def test_a_doubt_stands_before_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    say_next_prediction(Path("run"), doubt="Do not rely on it.")
    said = capsys.readouterr().err
    assert said.startswith("Do not rely on it. new.fasta stands for ")
    assert "\nnext: peftide predict run --input new.fasta" in said
