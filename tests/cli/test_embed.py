from pathlib import Path

import pytest

from peftide.cli import main
from tests.conftest import TINY, write_proteins


def test_the_number_of_embeddings_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta, out = write_proteins(tmp_path / "p.fasta", ["MKV", "WWA"]), tmp_path / "e.safetensors"
    words = f"embed --backbone {TINY} --sequences {fasta} --out {out} --threads 1"
    assert main(words.split()) == 0
    assert capsys.readouterr().out == f"2 embeddings: {out}\n"
