import subprocess
import sys
from pathlib import Path

import pytest

from peftide import __version__
from peftide.cli import main
from peftide.config import TrainConfig
from peftide.errors import InputError, PeftideError, StorageError, TrainingError
from tests.conftest import random_sequences, write_proteins

MAIN = "peftide.cli.main"


def fake(monkeypatch: pytest.MonkeyPatch, error: BaseException | None) -> None:
    """Put another body in place of every command."""

    def run(_config: object, _given: frozenset[str]) -> None:
        if error is not None:
            raise error

    monkeypatch.setattr(
        sys.modules[MAIN], "parse_config", lambda _class, _words: (None, frozenset())
    )
    monkeypatch.setattr(sys.modules[MAIN], "find_command", lambda _name: run)


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (None, 0, ""),
        (InputError("label 'maybe'", where="a.tsv:3"), 2, "error: a.tsv:3: label 'maybe'"),
        (TrainingError("the loss became nan"), 1, "error: the loss became nan"),
        (StorageError("no space left"), 1, "error: no space left"),
        (PeftideError("other"), 1, "error: other"),
        (RuntimeError("odd"), 1, "unexpected error: RuntimeError: odd (--debug shows the trace)"),
        (KeyboardInterrupt(), 130, "interrupted; go on with `peftide predict run --input x.tsv`"),
    ],
)
def test_every_end_has_its_code_and_one_line(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException | None,
    code: int,
    said: str,
) -> None:
    fake(monkeypatch, error)
    assert main(["predict", "run", "--input", "x.tsv"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(said)
    assert captured.err.count("\n") == (1 if said else 0)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("train --epoch 3", "`peftide train` has no option --epoch. Did you mean --epochs? "),
        (
            "train --preset quick",
            "`peftide train` has no option --preset. It is an option of `peftide compare`. ",
        ),
        ("train --xyzzy=3", "`peftide train` has no option --xyzzy. `peftide train --help-all` "),
        (
            "train extra",
            "`peftide train` has no option extra. `peftide train --help-all` lists all",
        ),
        ("trian --epochs 3", "unknown command trian. Did you mean train?"),
        ("train --lora-r", "argument --lora-r: expected one argument. `peftide train --help-all` "),
        ("report", "the following arguments are required: RUN. `peftide report --help-all` "),
        ("predict --input a.tsv", "the following arguments are required: RUN. `peftide predict "),
        ("", "the following arguments are required: COMMAND. `peftide --help` lists all"),
    ],
)
def test_words_that_make_no_command_are_one_line(
    capsys: pytest.CaptureFixture[str], words: str, said: str
) -> None:
    assert main(words.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {said}")
    assert captured.err.count("\n") == 1


def test_an_interrupted_training_names_resume(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, KeyboardInterrupt())
    config = TrainConfig(task="ppi", out=Path("run"))
    monkeypatch.setattr(
        sys.modules[MAIN], "parse_config", lambda _class, _words: (config, frozenset())
    )
    assert main(["train"]) == 130
    assert capsys.readouterr().err == "interrupted; go on with `peftide train`\n"
    config.out.mkdir()
    (config.out / "config.yaml").write_text("task: ppi")
    (config.out / "run.json").write_text('{"command": "train"}')
    assert main(["train"]) == 130
    assert "go on with `peftide train --resume --out run`" in capsys.readouterr().err


def test_an_error_of_the_system_names_its_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, PermissionError(13, "Permission denied", "a/p.fasta"))
    assert main(["embed"]) == 1
    assert capsys.readouterr().err == "error: a/p.fasta: Permission denied\n"


def test_debug_shows_the_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fake(monkeypatch, InputError("wrong"))
    assert main(["embed", "--debug"]) == 2
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert said.endswith("error: wrong\n")


def test_a_reader_that_closes_early_is_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake(monkeypatch, BrokenPipeError())
    with (tmp_path / "out").open("w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert main(["embed"]) == 0


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out == f"peftide {__version__}\n"


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys, peftide, peftide.config\n"
        "from peftide.cli import main\n"
        "try: main(['train', '--help'])\n"
        "except SystemExit as left: assert left.code == 0\n"
        "heavy = {'torch', 'transformers', 'peft', 'accelerate', 'pandas', 'sklearn'}\n"
        "print('HEAVY', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("HEAVY []\n")
    assert "--help-all" in done.stdout


def test_a_process_says_what_it_did_and_libraries_keep_silent(
    esm2_folder: Path, tmp_path: Path
) -> None:
    fasta = write_proteins(tmp_path / "p.fasta", [*random_sequences(3), "mkv"])
    words = f"embed --backbone {esm2_folder} --sequences {fasta} --out e.safetensors --threads 1"
    done = subprocess.run(
        [sys.executable, "-m", "peftide", *words.split()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "4 embeddings: e.safetensors\n"
    *notes, hint, following = done.stderr.splitlines()
    assert all(line.startswith("note: ") for line in notes), done.stderr
    assert hint == "This command opens the embeddings in Python:"
    assert following.startswith("next: ")
    assert "lower case" in done.stderr
