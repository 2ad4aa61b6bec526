from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from peftide.config import TrainConfig, from_mapping, read_yaml
from peftide.config.templates import COLUMNS, scalar, template_lines

ALL = frozenset(field.name for field in fields(TrainConfig))


def test_the_lines_are_the_options_and_others_are_comments() -> None:
    config = TrainConfig(out=Path("a: b"), test=("x.tsv",), max_length=None, task="ppi")
    lines = list(template_lines(config, without=frozenset({"resume"}), active=ALL))
    Path("c.yaml").write_text("\n".join(lines))
    assert from_mapping(TrainConfig, read_yaml(Path("c.yaml"))) == config
    comments = [line for line in lines if line.startswith("#")]
    assert max(map(len, comments)) <= COLUMNS
    assert [line for line in comments if "---" in line] == sorted(
        {line for line in comments if "---" in line}, key=comments.index
    )
    assert not any(line.startswith("resume") for line in lines)
    some = list(template_lines(config, without=frozenset(), active=frozenset({"task"})))
    assert [line for line in some if line and line[0] != "#"] == ["task: ppi"]
    assert "#epochs: 20" in some
    assert "# maximum number of passes over the training examples. Range: 1 or more" in some


@pytest.mark.parametrize("value", [None, True, 3, 0.001, 1e-20, "none", "a: b", "1.50", [], ["x"]])
def test_a_value_is_read_as_it_was(value: Any) -> None:
    Path("c.yaml").write_text(f"key: {scalar(value)}\n")
    read = read_yaml(Path("c.yaml"))["key"]
    assert (read if isinstance(read, bool | list | None) else type(value)(read)) == value
