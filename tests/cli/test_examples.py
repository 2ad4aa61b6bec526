import re
import shlex
from pathlib import Path

from peftide.cli.arguments import parse_config
from peftide.cli.examples import EXAMPLES
from peftide.cli.main import COMMANDS, parse_words
from peftide.config import TrainConfig


def test_every_command_has_two_examples_that_its_parser_takes() -> None:
    assert EXAMPLES.keys() == COMMANDS.keys()
    Path("ppi.yaml").write_text("task: ppi\n")
    for name, examples in EXAMPLES.items():
        assert len(examples) == 2
        for example in examples:
            assert f"peftide {name}" in example
            words = shlex.split(re.sub(r"^source <\(|\)$| \| source$", "", example))[1:]
            parse_config(COMMANDS[name], parse_words(words))
    config, _ = parse_config(TrainConfig, parse_words(shlex.split(EXAMPLES["train"][1])[1:]))
    assert (config.task, config.method) == ("ppi", "head")
