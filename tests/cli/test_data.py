"""`peftide data` on the command line."""

from pathlib import Path

import pytest

from peftide.cli.main import main


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
