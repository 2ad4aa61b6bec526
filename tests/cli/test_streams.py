import os
import subprocess
import sys
from pathlib import Path

import pytest

LEAKY = """\
id,sequence,label,split
a→é,MKVLAMKV,1,train
b,MKVLAAKV,0,train
d,MKVLAMKV,1,test
e,MKVQQ,0,test
"""
AUDIT = "audit --data leaky.csv --similarity none"
ENCODINGS = ("utf-8", "cp1252", "latin-1", "ascii")


def peftide(words: str, *, shell: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a shell of its own, with redirections, and return its end."""
    Path("leaky.csv").write_text(LEAKY, encoding="utf-8")
    command = f"{sys.executable} -m peftide {words}"
    return subprocess.run(
        ["bash", "-c", shell.format(command) if shell else command],
        env=os.environ | variables,
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_can_be_written(encoding: str) -> None:
    shown = peftide("train --help-all", PYTHONIOENCODING=encoding)
    assert shown.returncode == 0
    assert not shown.stderr
    audited = peftide(AUDIT, PYTHONIOENCODING=encoding)
    assert audited.returncode == 3
    assert b"Traceback" not in audited.stderr
    assert (b"->" if encoding != "utf-8" else "→".encode()) in audited.stdout


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_error_in_any_encoding_keeps_its_code(encoding: str) -> None:
    refused = peftide("audit --data 中→é.csv", PYTHONIOENCODING=encoding)
    assert refused.returncode == 2
    assert b"no such file" in refused.stderr


def test_the_c_locale_is_enough() -> None:
    settings = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}
    audited = peftide(f"{AUDIT} --out all.json", **settings)
    assert audited.returncode == 3
    assert "\\udc" not in Path("all.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "shell", "code"),
    [
        (AUDIT, "{} | true; exit ${{PIPESTATUS[0]}}", 3),
        (AUDIT, "{} >&-", 3),
        (AUDIT, "{} >&- 2>&- <&-", 3),
        ("train --help-all", "{} | true; exit ${{PIPESTATUS[0]}}", 0),
        ("audit --data no.csv", "{} 2>&1 | true; exit ${{PIPESTATUS[0]}}", 2),
        ("audit --data no.csv", "{} 2>&-", 2),
        ("predict run --input a.tsv", "{} >&-", 2),
    ],
)
def test_a_stream_that_is_closed_changes_no_exit_code(words: str, shell: str, code: int) -> None:
    ended = peftide(words, shell=shell)
    assert ended.returncode == code
    assert b"Traceback" not in ended.stderr
    assert b"Exception" not in ended.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_behind_standard_output_is_an_error() -> None:
    ended = peftide(AUDIT, shell="{} > /dev/full")
    assert ended.returncode == 1
    assert b"error: cannot write standard output: No space left" in ended.stderr
    assert peftide("audit --data no.csv", shell="{} 2> /dev/full").returncode == 2
