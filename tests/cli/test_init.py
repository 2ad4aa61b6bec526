import re
import shlex
from pathlib import Path

import pytest

from peftide.cli import main
from peftide.config import InitConfig, TrainConfig, from_mapping, read_yaml
from tests.conftest import small_config


def test_the_file_trains_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = small_config(tmp_path, "ppi", "head")
    table = Path("pairs.tsv")
    with table.open("w") as joined:
        for part in ("train", "validation", "test"):
            header, *rows = (tmp_path / f"{part}.tsv").read_text().splitlines()
            if part == "train":
                joined.write(f"{header}\tsplit\n")
            joined.writelines(f"{row}\t{part}\n" for row in rows)
    words = f"init --task ppi --method head --backbone {config.backbone} --data {table}"
    assert main([*words.split(), "--out", "my ppi.yaml"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "options: my ppi.yaml\n"
    (command,) = re.findall(r"^next: peftide (.*)$", captured.err, re.MULTILINE)
    assert shlex.split(command) == ["train", "--config", "my ppi.yaml"]
    text = Path("my ppi.yaml").read_text()
    Path("my ppi.yaml").write_text(text.replace("epochs: 20", "epochs: 1"))
    assert main([*shlex.split(command), "--baselines", "none", "--threads", "1"]) == 0
    assert Path("my ppi_run", "metrics.json").is_file()


def test_files_that_are_not_there_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "--task", "pair_regression"]) == 0
    said = capsys.readouterr().err
    assert "Replace pairs.tsv and proteins.fasta in train.yaml with your files first." in said
    config = from_mapping(TrainConfig, read_yaml(Path("train.yaml")))
    assert config == TrainConfig(
        task="pair-regression",
        data=Path("pairs.tsv"),
        sequences=Path("proteins.fasta"),
        out=Path("train_run"),
    )
    assert InitConfig().out == Path("train.yaml")


def test_a_table_without_parts_is_split_first(capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.csv").write_text("sequence,label\nACD,1\n")
    assert main(["init", "--data", "a.csv"]) == 0
    said = capsys.readouterr().err.splitlines()
    assert said[-2:] == [
        "next: peftide split --input a.csv --out parts",
        "next: peftide train --config train.yaml --data parts/split.tsv",
    ]
    Path("a.csv").write_text("mutant,label\nA1C,1\n")
    assert main(["init", "--data", "a.csv", "--overwrite"]) == 0
    said = capsys.readouterr().err
    assert "next: peftide split --input a.csv --out parts --kind position" in said
    Path("a.csv").write_text("sequence,label,split\nACD,1,train\n")
    assert main(["init", "--data", "a.csv", "--overwrite"]) == 0
    assert "next: peftide split" not in capsys.readouterr().err


def test_wrong_names_and_existing_files_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("train.yaml").write_text("task: ppi\n")
    for words, said in (
        ("--task pip", "Did you mean ppi?"),
        ("--method lorra", "Did you mean lora?"),
        ("", "train.yaml exists"),
        ("--overwrite", "was not written by `peftide init`"),
    ):
        assert main(["init", *words.split()]) == 2
        assert said in capsys.readouterr().err
    assert main(["init", "--out", "b.yaml"]) == 0
    assert main(["init", "--out", "b.yaml", "--overwrite", "--task", "residue"]) == 0
    assert "task: residue" in Path("b.yaml").read_text()
