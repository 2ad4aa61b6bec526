import os
import threading
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from peftide.cli import main
from tests.conftest import TINY, write_proteins


def test_the_number_of_embeddings_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta, out = write_proteins(tmp_path / "p.fasta", ["MKV", "WWA"]), tmp_path / "e.safetensors"
    words = f"embed --backbone {TINY} --sequences {fasta} --out {out} --threads 1"
    assert main(words.split()) == 0
    assert capsys.readouterr().out == f"2 embeddings: {out}\n"


def test_sequences_come_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(">a\nMKVLA\n",))
    writer.start()
    out = tmp_path / "e.safetensors"
    words = f"embed --backbone {TINY} --sequences {tmp_path / 'pipe'} --out {out} --threads 1"
    assert main(words.split()) == 0
    writer.join()
    assert list(load_file(out)) == ["a"]
