"""The scripts are loaded by the shells themselves, where they are installed."""

import shutil
import subprocess
from dataclasses import fields

import pytest

from peftide.cli import main
from peftide.cli.completion import SHELLS, options_of
from peftide.cli.main import COMMANDS
from peftide.config.reading import flag

BASH = """\
source ./script
completed() {
    COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _peftide; echo "${COMPREPLY[@]}"
}
completed peftide tr
completed peftide train --lora-
completed peftide train --task pp
completed peftide train --data t
completed peftide completion f
completed peftide train --max-tokens m
"""
FISH = """\
source ./script
complete -C "peftide tra"
complete -C "peftide train --lora-"
complete -C "peftide train --task pp"
complete -C "peftide completion f"
"""
ZSH = "autoload -U compinit; compinit -u -D; source ./script; echo $_comps[peftide]"


def run(shell: str, code: str, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Write the script for a shell, and return the lines that some code prints there."""
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    assert main(["completion", shell]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    with open("script", "w", encoding="utf-8") as script:
        script.write(captured.out)
    words = {"bash": ["--norc"], "fish": ["--no-config"], "zsh": ["-f"]}[shell]
    done = subprocess.run(
        [shell, *words, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_bash_completes_commands_options_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bash", BASH, capsys) == [
        "train",
        "--lora-r --lora-alpha --lora-dropout --lora-targets --lora-layers",
        "ppi",
        "",  # readline completes files
        "fish",
        "measured",
    ]


def test_fish_completes_commands_options_and_values(capsys: pytest.CaptureFixture[str]) -> None:
    found = [line.split("\t")[0] for line in run("fish", FISH, capsys)]
    assert found[0] == "train"
    assert {"--lora-r", "--lora-targets", "ppi", "fish"} <= {*found}


def test_zsh_loads_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("zsh", ZSH, capsys) == ["_peftide"]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_option_of_every_command_is_in_the_script(shell: str) -> None:
    text = "\n".join(SHELLS[shell]())
    for name, config_class in COMMANDS.items():
        assert name in text
        for one in options_of(config_class):
            assert (f"-l {one.option[2:]} " if shell == "fish" else one.option) in text
        known = {one.option for one in options_of(config_class)}
        positional = {f.name for f in fields(config_class) if f.metadata.get("positional")}
        assert {flag(f.name) for f in fields(config_class) if f.name not in positional} <= known


def test_an_unknown_shell_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert "expected one of bash, zsh, fish" in capsys.readouterr().err
