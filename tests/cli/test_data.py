"""`peftide data` on the command line."""

import re
from pathlib import Path

import pytest

from peftide.cli.main import main
from tests.commands.test_data_get import served
from tests.databases.conftest import Files, files

__all__ = ["files", "served"]


def test_it_says_what_was_left_out_and_what_comes_next(capsys: pytest.CaptureFixture[str]) -> None:
    Path("links.txt").write_text("protein1 protein2 combined_score\n1.A 1.B 900\n1.A 1.C 10\n")
    assert main(["data", "string", "--input", "links.txt", "--out", "out"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "left out: 1, score below 700",
        "1 pair of 2 proteins, 0 do not interact",
        "table: out/table.tsv",
        "proteins: out/ids.txt",
    ]
    assert "next: peftide split --input out/table.tsv --out parts" in printed.err


def test_get_lists_the_benchmarks_with_size_and_licence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["data", "get"]) == 0
    printed = capsys.readouterr()
    text = " ".join(printed.out.split())
    assert re.findall(r"(\w+): [^:]+; \d+ MB; licence: (\S+)", text) == [
        ("ppi_yeast", "GPL-3.0"),
        ("ppi_gold", "MIT"),
        ("stability", "none"),
    ]
    assert "next: peftide data get ppi_yeast" in printed.err


@pytest.mark.parametrize("words", ["get six --out out --mirror", "get --out out six --mirror"])
def test_get_says_licence_source_files_and_the_next_command(
    served: Files, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["data", *words.split(), f"{served.address}/m"]) == 0
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        "licence: CC0",
        f"source: https://github.com/lab/six/tree/{'c' * 40}",
        *(f"{name}: out/{name}" for name in ("train.tsv", "valid.tsv", "test.tsv")),
        "sequences.fasta: out/sequences.fasta",
    ]
    assert "next: peftide train --train out/train.tsv --out my_run" in printed.err


def test_a_wrong_download_is_one_line(served: Files, capsys: pytest.CaptureFixture[str]) -> None:
    served.wrong[next(iter(served.content))] = "page"
    assert main(["data", "get", "six", "--mirror", f"{served.address}/m"]) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert re.fullmatch(r"error: http\S+ is a web page, not the file\. .*--mirror", error)


def test_a_second_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "get", "--out", "out", "ppi_yeast", "ppi_gold"]) == 2
    assert "`peftide data` has no option ppi_gold" in capsys.readouterr().err
