"""What all processes of a training must have in common, and where they meet."""

from dataclasses import replace
from pathlib import Path

import pytest

from peftide.distributed import Processes
from peftide.errors import InputError
from peftide.hardware import choose_hardware
from peftide.tasks.detecting import find_task
from peftide.training.assisting import Begun, assist, shared_facts
from peftide.training.setting import prepare
from tests.conftest import small_config


def test_facts_tell_options_rows_sequences_and_weights_apart(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "lora")
    hardware = choose_hardware(config)
    problem, backbone = prepare(config, find_task("regression"))
    known = shared_facts(config, problem, backbone, hardware=hardware)
    assert shared_facts(replace(config, threads=2), problem, backbone, hardware=hardware) == known
    other = shared_facts(replace(config, seed=1), problem, backbone, hardware=hardware)
    assert [name for name in known if known[name] != other[name]] == ["the options"]

    assert config.train is not None
    text = config.train.read_text()
    label = text.splitlines()[1].split("\t")[-1]
    config.train.write_text(text.replace(label, "7.25", 1))
    problem, _ = prepare(config, find_task("regression"))
    found = shared_facts(config, problem, backbone, hardware=hardware)
    assert [name for name in known if known[name] != found[name]] == ["the rows of train"]
    assert {"version of torch", "the sequences", "the weights of the backbone"} <= known.keys()


def test_a_run_folder_that_only_the_first_machine_sees_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = small_config(tmp_path, "regression", "lora")
    problem, backbone = prepare(config, find_task("regression"))
    monkeypatch.setattr(Processes, "first", lambda _self, _work: Begun(tmp_path / "elsewhere"))
    hardware = replace(choose_hardware(config), processes=Processes(1, 2))
    with pytest.raises(InputError, match=r"--out: process 1 .* does not see .*run\.json.* share"):
        assist(config, problem, backbone, hardware=hardware)
