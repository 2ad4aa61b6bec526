"""Every experiment in configs/: its options are valid, and its head gives the command."""

from pathlib import Path

import pytest

from peftide.cli.main import COMMANDS
from peftide.config import from_mapping, read_yaml
from peftide.sweeping.space import read_space

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
SPACES = sorted((Path(__file__).parents[2] / "configs" / "spaces").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_options_are_those_of_the_command_in_the_head(path: Path):
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    (command,) = [line for line in head if "peftide " in line]
    name = command.split("peftide ")[1].split()[0]
    paths = {"out": "RUN"} | ({"space": "SPACE"} if name == "sweep" else {})
    config = from_mapping(COMMANDS[name], read_yaml(path) | paths)
    assert f"configs/{path.name}" in command
    assert config is not None


@pytest.mark.parametrize("path", SPACES, ids=lambda path: path.stem)
def test_spaces_are_read_and_named_by_an_experiment(path: Path):
    assert read_space(path)
    named = f"--space REPO/configs/spaces/{path.name}"
    assert any(named in experiment.read_text() for experiment in CONFIGS)
