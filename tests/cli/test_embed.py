import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from peftide.cli import main
from peftide.cli.embed import READERS, reading_command
from peftide.commands.embed import find_writer
from peftide.config import EmbedConfig
from tests.conftest import TINY, write_proteins


def test_the_number_of_embeddings_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta, out = write_proteins(tmp_path / "p.fasta", ["MKV", "WWA"]), tmp_path / "e.safetensors"
    words = f"embed --backbone {TINY} --sequences {fasta} --out {out} --threads 1"
    assert main(words.split()) == 0
    captured = capsys.readouterr()
    assert captured.out == f"2 embeddings: {out}\n"
    command = shlex.split(captured.err.splitlines()[-1].removeprefix("next: "))
    assert command[1] == "-c"
    assert str(out) in command[2]


@pytest.mark.parametrize("ending", READERS)
def test_the_next_command_reads_every_form(tmp_path: Path, ending: str) -> None:
    out = tmp_path / f"it's{ending}"
    vectors = {"a": np.zeros(3, dtype="float32"), "b": np.ones(3, dtype="float32")}
    find_writer(EmbedConfig(out=out))(vectors, out)
    done = subprocess.run(
        [sys.executable, *reading_command(out)[1:]], capture_output=True, text=True, check=True
    )
    assert ("d2" if ending == ".parquet" else "2 (3,)") in done.stdout


def test_sequences_come_through_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_text, args=(">a\nMKVLA\n",))
    writer.start()
    out = tmp_path / "e.safetensors"
    words = f"embed --backbone {TINY} --sequences {tmp_path / 'pipe'} --out {out} --threads 1"
    assert main(words.split()) == 0
    writer.join()
    assert list(load_file(out)) == ["a"]


def test_a_folder_ends_with_a_command_that_opens_a_shard(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", ["MKV", "WWA"])
    words = f"embed --backbone {TINY} --sequences {fasta} --out folder --threads 1"
    assert main([*words.split(), "--prepare"]) == 0
    assert capsys.readouterr().out == "sequences sorted for folder\n"
    assert main(words.split()) == 0
    captured = capsys.readouterr()
    assert captured.out == "2 embeddings: folder\n"
    command = shlex.split(captured.err.splitlines()[-1].removeprefix("next: "))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "2 rows x 4 columns" in done.stdout
