"""Two processes on gloo train as one does: the same loss, the same scores, the same weights."""

import json
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from peftide.adapters import READS
from peftide.cli import main
from peftide.commands.train import train
from peftide.config import TrainConfig, to_yaml
from peftide.training import loop
from tests.conftest import small_config

FORKS = multiprocessing.get_context("forkserver")
# torch and peft are imported once for all
FORKS.set_forkserver_preload(["peftide.training.running", "peftide.backbones.esm", "peft"])
SLOW: dict[str, Any] = {"marks": pytest.mark.slow}
"""A case that takes a way through the code which another case takes too."""
SMALL: dict[str, Any] = {"head_dropout": 0.0, "baselines": ("none",), "checkpoint_minutes": 0.0}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def run_rank(
    rank: int, count: int, port: int, words: list[str], folder: Path, dies_in_step: int | None
) -> None:
    """Run a command as one of several processes; its output goes to a file."""
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(count)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    with (folder / f"output-{rank}.txt").open("w") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    take = loop.TrainingRun.take

    def take_or_die(run: loop.TrainingRun, loss: float, batch: Any) -> float:
        if run.state.step == dies_in_step:
            signal.raise_signal(signal.SIGKILL)
        return take(run, loss, batch)

    setattr(loop.TrainingRun, "take", take_or_die)  # noqa: B010 — a type checker sees the method
    sys.exit(main(words))


def start(
    words: Sequence[Sequence[str]], folder: Path, *, last_dies_in_step: int | None = None
) -> list[Any]:
    """Start a process for each list of words; return them."""
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    ranks = [
        FORKS.Process(
            target=run_rank,
            args=(rank, len(words), port, [*own], folder, last_dies_in_step if rank else None),
        )
        for rank, own in enumerate(words)
    ]
    for rank in ranks:
        rank.start()
    return ranks


def ended(ranks: Sequence[Any]) -> list[int | None]:
    for rank in ranks:
        rank.join(timeout=240)
    return [rank.exitcode for rank in ranks]


def words_of(config: TrainConfig, *more: str) -> list[str]:
    place = config.out.parent / f"{config.out.name}.yaml"
    place.write_text(to_yaml(config))
    return ["train", "--config", str(place), *more]


def outputs(folder: Path, count: int = 2) -> list[str]:
    return [(folder / f"output-{rank}.txt").read_text() for rank in range(count)]


def assert_same_training(found: Path, expected: Path, *, tolerance: float = 1e-5) -> None:
    history, reference = (pd.read_csv(path / "history.csv") for path in (found, expected))
    np.testing.assert_array_equal(history["step"], reference["step"])
    for column in reference.columns.difference(["seconds", "epoch", "step"]):
        np.testing.assert_allclose(
            history[column], reference[column], atol=tolerance, err_msg=column
        )
    table, answers = (pd.read_csv(path / "predictions.tsv", sep="\t") for path in (found, expected))
    for column in answers.select_dtypes("number").columns:
        np.testing.assert_allclose(table[column], answers[column], atol=10 * tolerance)


@pytest.mark.parametrize(
    ("task", "method", "changes"),
    [
        ("regression", "head", {}),
        pytest.param("regression", "head", {"seeds": 2}, **SLOW),
        ("regression", "lora", {"batch_size": 5}),
        pytest.param("regression", "full", {}, **SLOW),
        pytest.param("regression", "adalora", {"epochs": 6}, **SLOW),
        pytest.param("residue", "lora", {}, **SLOW),
        pytest.param("multiclass", "bias", {}, **SLOW),
        pytest.param("ppi", "head", {}, **SLOW),
        pytest.param("ppi", "lora", {"sampler": "pairs"}, **SLOW),
        ("ppi", "lora", {"sampler": "blocks", "blocks": 2}),
        pytest.param("ppi", "full", {"sampler": "blocks", "blocks": 3}, **SLOW),
        ("ppi", "head", {"pooling": "attention", "sampler": "blocks", "blocks": 2}),
    ],
)
def test_the_training_is_that_of_one_process(
    tmp_path: Path, task: str, method: str, changes: dict[str, Any]
) -> None:
    options = SMALL | ({"lora_dropout": 0.0} if "lora_dropout" in READS.get(method, ()) else {})
    config = small_config(tmp_path, task, method, **(options | changes))
    train(replace(config, out=tmp_path / "one"))
    assert ended(start([words_of(config)] * 2, tmp_path / "logs")) == [0, 0]
    assert_same_training(config.out, tmp_path / "one")
    record = json.loads((config.out / "run.json").read_text())
    assert record["hardware"]["processes"] == 2
    quiet = outputs(tmp_path / "logs")[1]
    assert quiet == ""


SHARDED: dict[str, Any] = {"shard_backbone": True, "max_tokens": 60}


@pytest.mark.parametrize(
    ("task", "method", "changes"),
    [
        pytest.param("regression", "lora", {"batch_size": 5}, **SLOW),
        ("ppi", "lora", {"sampler": "blocks", "blocks": 2, "lora_layers": "all"}),
        pytest.param(
            "ppi", "bias", {"batch_size": 2, "sampler": "pairs", "lora_layers": "last:1"}, **SLOW
        ),
        pytest.param("residue", "last_k", {"gradient_checkpointing": True}, **SLOW),
    ],
)
def test_a_backbone_in_pieces_trains_as_a_whole_one(
    tmp_path: Path, task: str, method: str, changes: dict[str, Any]
) -> None:
    """Few tokens fit a piece of a batch, so the processes have other numbers of pieces."""
    options = SMALL | ({"lora_dropout": 0.0} if method == "lora" else {}) | changes
    config = small_config(tmp_path, task, method, **options)
    train(replace(config, out=tmp_path / "one"))
    sharded = replace(config, **SHARDED)
    assert ended(start([words_of(sharded)] * 2, tmp_path / "logs")) == [0, 0]
    assert "frozen layers: each of 2 processes holds " in outputs(tmp_path / "logs")[0]
    assert_same_training(config.out, tmp_path / "one")


def test_a_lost_process_ends_all_with_one_error_and_the_run_goes_on(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "lora", **SMALL, lora_dropout=0.0, epochs=3)
    train(replace(config, out=tmp_path / "one"))
    ranks = start([words_of(config)] * 2, tmp_path / "logs", last_dies_in_step=4)
    assert ended(ranks) == [1, -signal.SIGKILL]
    said = outputs(tmp_path / "logs")[0]
    assert said.count("error:") == 1
    assert "another process of this training has ended" in said
    assert [point.name for point in (config.out / "checkpoints").glob("step-*")] == [
        "step-000000004"
    ]
    resumed = start([words_of(config, "--resume")] * 2, tmp_path / "logs")
    assert ended(resumed) == [0, 0]
    assert "resuming in epoch 2, after step 4 of 9" in outputs(tmp_path / "logs")[0]
    assert_same_training(config.out, tmp_path / "one")


def test_an_error_of_all_is_said_once(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "lora", **SMALL)
    both = [words_of(config, "--label-column", "nowhere")] * 2
    ended(start(both, tmp_path / "logs"))
    said = "".join(outputs(tmp_path / "logs"))
    assert said.count("error:") == 1
    assert "nowhere" in said


def test_an_error_of_another_process_is_said(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "lora", **SMALL)
    wrong = [words_of(config), words_of(config, "--threads", "2", "--seed", "9")]
    assert 2 in ended(start(wrong, tmp_path / "logs"))
    said = "".join(outputs(tmp_path / "logs"))
    assert said.count("error:") == 1
    assert "process 1 (on " in said
    assert "has the options" in said
    assert not config.out.exists()


def test_more_processes_than_examples_are_refused(tmp_path: Path) -> None:
    config = small_config(tmp_path, "regression", "head", **SMALL, batch_size=1)
    ended(start([words_of(config)] * 2, tmp_path / "logs"))
    said = "".join(outputs(tmp_path / "logs"))
    assert said.count("error:") == 1
    assert "2 processes share batches of at most 1 example" in said


def test_other_commands_are_refused_once(tmp_path: Path) -> None:
    assert ended(start([["split", "--input", "a", "--out", "b"]] * 2, tmp_path)) == [2, 2]
    said = outputs(tmp_path)
    assert "peftide split: started as 2 processes; expected one process" in said[0]
    assert said[1] == ""
