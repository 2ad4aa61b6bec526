"""Every experiment in configs/: its options are valid, and its head gives the command."""

from pathlib import Path

import pytest

from peftide.cli.main import COMMANDS
from peftide.config import from_mapping, read_yaml

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_options_are_those_of_the_command_in_the_head(path: Path):
    head = [line for line in path.read_text().splitlines() if line.startswith("#")]
    (command,) = [line for line in head if "peftide " in line]
    name = command.split("peftide ")[1].split()[0]
    config = from_mapping(COMMANDS[name], read_yaml(path) | {"out": "RUN"})
    assert f"configs/{path.name}" in command
    assert config is not None
