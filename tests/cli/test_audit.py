"""The command: its table, its file, its exit codes."""

import json
import re
import shlex
from itertools import product
from pathlib import Path

import pytest

from peftide.cli import main
from tests.conftest import write_proteins, write_rows
from tests.similarity.conftest import random_proteins

PROTEINS = random_proteins(8, length=60)


def words(*more: str) -> list[str]:
    return ["audit", "--train", "t.tsv", "--test", "x.tsv", "--sequences", "p.fasta", *more]


def write(test_rows: list[tuple[object, ...]]) -> None:
    write_proteins(Path("p.fasta"), PROTEINS)
    write_rows(Path("t.tsv"), "id_a id_b label", [("p0", "p1", 1), ("p2", "p3", 0)])
    write_rows(Path("x.tsv"), "id_a id_b label", test_rows)


def test_a_clean_split_exits_with_0(capsys: pytest.CaptureFixture[str]):
    write([("p4", "p5", 1), ("p6", "p7", 0)])
    assert main(words("--similarity", "pyopal", "--threads", "1")) == 0
    captured = capsys.readouterr()
    said = captured.out.splitlines()
    assert said[:2] == [
        "train: 2 pairs, 4 distinct proteins",
        "test: 2 pairs, 4 distinct proteins",
    ]
    assert "ok       train, test: no repeated pairs" in said
    assert any("no protein is similar to one in train by at least 30%" in line for line in said)
    assert said[-1].startswith("verdict: no leak")
    options = "--train t.tsv --test x.tsv --sequences p.fasta"
    assert captured.err.endswith(f"next: peftide train {options} --out my_run\n")


def test_a_leak_exits_with_3_and_says_what_to_do(capsys: pytest.CaptureFixture[str]):
    write([("p0", "p5", 1), ("p6", "p7", 0)])
    assert main(words("--similarity", "none", "--out", "a.json")) == 3
    captured = capsys.readouterr()
    said = captured.out
    assert "LEAK     test       1 of 4 proteins (25.0%) are also in train" in said
    assert "→ Leave out the training rows with them" in said
    assert "similar proteins were not searched" in said
    assert said.splitlines()[-1] == "all verdicts: a.json"
    options = "--input t.tsv --input x.tsv --sequences p.fasta --out parts"
    assert captured.err.endswith(f"next: peftide split {options}\n")
    assert json.loads(Path("a.json").read_text())["counts"]["leak"] == 1


def test_wrong_input_exits_with_2(capsys: pytest.CaptureFixture[str]):
    assert main(words()) == 2
    assert "t.tsv: no such file" in capsys.readouterr().err


def test_the_next_command_splits_a_table_that_has_parts(capsys: pytest.CaptureFixture[str]):
    letters = "ACDEFGHIKLMN"
    rows = [(f"MKV{one}{two}", k % 2) for k, (one, two) in enumerate(product(letters, letters))]
    parts = [(*row, "train" if k % 2 else "test") for k, row in enumerate(rows)]
    write_rows(Path("my t.tsv"), "sequence label split", [*parts, (*rows[0], "train")])
    assert main(["audit", "--data", "my t.tsv", "--similarity", "none"]) == 3
    (command,) = re.findall(r"^next: peftide (.*)$", capsys.readouterr().err, re.MULTILINE)
    assert main([*shlex.split(command), "--kind", "random"]) == 0
    (train,) = re.findall(r"^next: peftide (.*)$", capsys.readouterr().err, re.MULTILINE)
    assert shlex.split(train)[0] == "train"


def test_the_next_command_names_a_task_if_the_labels_fit_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    letters = random_proteins(40, length=30)
    rows = [(text, k % 3, "test" if k % 4 == 0 else "train") for k, text in enumerate(letters)]
    write_rows(Path("t.tsv"), "sequence label split", rows)
    assert main(["audit", "--data", "t.tsv", "--similarity", "none"]) == 0
    said = capsys.readouterr().err
    assert "Another choice: --task regression." in said
    assert said.endswith("next: peftide train --data t.tsv --task multiclass --out my_run\n")


@pytest.mark.parametrize("leaks", [False, True])
def test_the_next_command_keeps_the_wild_type(
    capsys: pytest.CaptureFixture[str], *, leaks: bool
) -> None:
    wild_type = "MKVLAWGHKLMNPQRSTVWY"
    names = [f"{old}{site}A" for site, old in enumerate(wild_type, start=1) if old != "A"]
    rows = [(name, k + 0.5, "test" if k % 4 == 0 else "train") for k, name in enumerate(names)]
    rows += [(names[0], 0, "train")] * leaks
    write_rows(Path("t.tsv"), "mutant label split", rows)
    assert main(["audit", "--data", "t.tsv", "--wild-type", wild_type]) == 3 * leaks
    (command,) = re.findall(r"^next: peftide (.*)$", capsys.readouterr().err, re.MULTILINE)
    assert f"--wild-type {wild_type}" in command
    if leaks:
        assert main(shlex.split(command)) == 0
