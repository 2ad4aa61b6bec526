import os
import shlex
from pathlib import Path

import pytest

from peftide.cli.closing import (
    after_training,
    beside,
    changed_words,
    free_path,
    new_data_hint,
    option_words,
    predict_command,
    reading_words,
    say_next,
    say_written,
)
from peftide.config import AuditConfig, EvaluateConfig, PredictConfig, SplitConfig, TrainConfig


def test_written_files_go_to_standard_output_and_the_next_command_to_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    say_written(run_folder=Path("a b"), report=Path("a b/report.html"))
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


def test_a_test_table_is_predicted_before_the_training_tables() -> None:
    config = TrainConfig(out=Path("run"), train=Path("t.tsv"), validation=Path("v.tsv"))
    (words,) = after_training(Path("run"), config)
    assert words[4] == "v.tsv"
    (words,) = after_training(
        Path("run"), TrainConfig(out=Path("run"), train=Path("t.tsv"), test=("yeast=y.tsv",))
    )
    assert words[4:] == ["y.tsv", "--out", "run_predictions.tsv"]
    assert after_training(Path("run"), TrainConfig(out=Path("run"))) == []


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
    ("task", "said"),
    [
        ("multiclass", "new proteins, write them into a file of your own: peftide predict run"),
        ("ppi", "--input new_pairs.tsv --sequences proteins.fasta --out run_answers.tsv"),
        ("variants", "mutants of the same protein, write them into a file of your own: "),
    ],
)
def test_data_of_ones_own_is_named_as_the_task_reads_it(task: str, said: str) -> None:
    Path("run").mkdir()
    Path("run/config.yaml").write_text(f"task: {task}\n")
    assert said in new_data_hint(Path("run"))
