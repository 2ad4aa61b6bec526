import json
import re
import shlex
from pathlib import Path

import pytest

from peftide.cli import main
from peftide.cli.split import split_lines
from tests.conftest import random_sequences, write_proteins, write_rows


def test_sizes_and_what_to_do_next_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_proteins(tmp_path / "p.fasta", random_sequences(60, lengths=(20, 30)))
    rows = [
        (f"p{10 * block + a}", f"p{10 * block + b}", (a + b) % 2)
        for block in range(6)
        for a in range(10)
        for b in range(a)
    ]
    rows += [(f"p{k}", f"p{k + 10}", 1) for k in range(50)]
    write_rows(tmp_path / "t.tsv", "id_a id_b label", rows)
    words = "split --input t.tsv --sequences p.fasta --out parts --similarity none"
    assert main([*words.split(), "--fractions", "0.6,0.2,0.2"]) == 0
    captured = capsys.readouterr()
    out = captured.out
    assert out.startswith("none_seen: the parts share no protein")
    assert re.search(r"clusters: 60, the largest of 1; identical sequences", out)
    assert re.search(r"train +\d+ +\d+\.\d% +\d+ +\d+\.\d% +\d+\.\d%", out)
    assert re.search(r"pairs kept: \d+\.\d% \(random parts of the same clusters: \d+\.\d%\)", out)
    assert re.search(r"dropped: \d+ rows: the two proteins are in different parts", out)
    assert out.endswith("\ntable: parts/split.tsv\n")
    (command,) = re.findall(r"^next: (.*)$", captured.err, re.MULTILINE)
    assert command == "peftide train --data parts/split.tsv --sequences p.fasta --out my_run"
    record = json.loads((tmp_path / "parts" / "split.json").read_text())
    assert "\n".join(split_lines(record)) in out
    assert record["command"] == "split"
    assert record["versions"]["peftide"]
    assert len(record["files"]["t.tsv"]) == 64
    assert record["settings"]["fractions"] == [0.6, 0.2, 0.2]


def test_a_table_that_cannot_be_divided_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_rows(tmp_path / "t.tsv", "sequence label", [("MKVLA", 1)])
    assert main(["split", "--input", "t.tsv", "--out", "parts", "--kind", "random"]) == 2
    assert "would be empty" in capsys.readouterr().err
    assert not (tmp_path / "parts").exists()


def test_what_to_do_next_names_the_columns_and_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = random_sequences(40, lengths=(20, 30))
    rows = [(sequence, number / 7) for number, sequence in enumerate(letters)]
    write_rows(tmp_path / "t.tsv", "protein fitness", rows)
    words = "split --input t.tsv --sequence-column protein --label-column fitness --kind random"
    assert main([*words.split(), "--out", "a b"]) == 0
    train = re.findall(r"peftide (.*)", capsys.readouterr().err)[-1]
    assert shlex.split(train)[:3] == ["train", "--data", "a b/split.tsv"]
    assert main([*shlex.split(train), "--method", "head", "--epochs", "1"]) == 0


def test_the_next_command_names_a_task_if_the_labels_fit_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = random_sequences(60, lengths=(20, 30))
    rows = [(sequence, number % 3) for number, sequence in enumerate(letters)]
    write_rows(tmp_path / "t.tsv", "sequence label", rows)
    assert main(["split", "--input", "t.tsv", "--out", "parts", "--similarity", "none"]) == 0
    said = capsys.readouterr().err
    assert "The labels fit several tasks. Another choice: --task regression." in said
    (train,) = re.findall(r"^next: peftide (.*)$", said, re.MULTILINE)
    assert "--task multiclass" in train
    assert main([*shlex.split(train), "--method", "head", "--epochs", "1"]) == 0


def test_an_earlier_split_column_is_said_to_be_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    letters = random_sequences(40, lengths=(20, 30))
    rows = [(text, k / 7, "train") for k, text in enumerate(letters)]
    write_rows(tmp_path / "t.tsv", "sequence label split", rows)
    assert main(["split", "--input", "t.tsv", "--out", "parts", "--kind", "random"]) == 0
    assert "note: column split is replaced, and kept as previous_split" in caplog.text
    header = (tmp_path / "parts" / "split.tsv").read_text().splitlines()[0]
    assert header.split("\t") == ["sequence", "label", "previous_split", "split"]


def test_labels_that_need_a_correction_have_no_next_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    letters = random_sequences(60, lengths=(20, 30))
    rows = [(sequence, f"1,{number}5") for number, sequence in enumerate(letters)]
    write_rows(tmp_path / "t.tsv", "sequence label", rows)
    assert main(["split", "--input", "t.tsv", "--out", "parts", "--similarity", "none"]) == 0
    said = capsys.readouterr().err
    assert said.endswith("Correct the labels first: the note on them says how.\n")
    assert "next:" not in said


def test_the_next_command_names_the_wild_type(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wild_type = "MKVLAAGIVG"
    (tmp_path / "wt.fasta").write_text(f">wt\n{wild_type}\n")
    rows = [
        (f"{old}{site}{new}", site / 10)
        for site, old in enumerate(wild_type, start=1)
        for new in "WYF"
    ]
    write_rows(tmp_path / "t.tsv", "mutant label", rows)
    words = "split --input t.tsv --wild-type wt.fasta --kind position --out parts"
    assert main([*words.split(), "--fractions", "0.6,0.2,0.2"]) == 0
    (command,) = re.findall(r"^next: (.*)$", capsys.readouterr().err, re.MULTILINE)
    assert "--data parts/split.tsv --wild-type wt.fasta " in command
