"""`peftide pretrain` and how it goes on."""

from pathlib import Path

import pytest

from peftide.cli import main
from tests.conftest import random_sequences, write_proteins

SHAPE = "--layers 2 --width 32 --attention-heads 4 --rows 2 --row-tokens 64 --no-compile"


def test_it_prints_perplexities_stops_by_hours_and_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", random_sequences(20, lengths=(30, 60)))
    more = write_proteins(tmp_path / "q.fasta", random_sequences(5, lengths=(30, 60), seed=1))
    words = f"--sequences {fasta} --sequences {more} --out b --steps 2 --threads 1 {SHAPE}"
    assert main(["pretrain", *words.split(), "--device", "cpu", "--hours", "1e-9"]) == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    names = ["held-out sequences", "model", "uniform", "residue frequencies", "trigram"]
    for line, name in zip(lines, [*names, "neighbours"], strict=False):
        assert line.startswith(f"{name} ")
    assert lines[2].split() == ["uniform", "20.000", "20.000"]
    assert lines[-3] == "stopped by --hours"
    assert lines[-2].startswith("128 tokens at ")
    assert lines[-1] == "backbone: b"
    assert captured.err.endswith("next: peftide pretrain --resume --out b\n")
    assert main(["pretrain", "--resume", "--out", "b", "--hours", "none"]) == 0
    captured = capsys.readouterr()
    assert "256 tokens at " in captured.out
    assert "stopped" not in captured.out
    command = f"peftide embed --backbone b --sequences {fasta} --out b.safetensors"
    assert captured.err.endswith(f"next: {command}\n")


def test_what_is_wrong_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (("--steps 0", "--steps: received 0"), ("", "absent.fasta: no such file")):
        command = ["pretrain", "--sequences", "absent.fasta", "--out", "b", *words.split()]
        assert main(command) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert said in captured.err
    assert not Path("b").exists()


def test_resuming_what_has_not_begun_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["pretrain", "--resume", "--out", "nowhere"]) == 2
    assert "holds no run" in capsys.readouterr().err
