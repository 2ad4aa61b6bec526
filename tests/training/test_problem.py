from pathlib import Path

import numpy as np
import pytest

from peftide.config import TrainConfig
from peftide.errors import InputError
from peftide.tasks.detecting import find_task
from peftide.training.problem import read_problem
from tests.conftest import random_sequences, small_config, write_rows


def test_an_unknown_task_gets_a_suggestion() -> None:
    with pytest.raises(InputError, match="--task: received 'PPI'. Did you mean ppi?"):
        find_task("PPI")


def test_a_part_comes_with_its_labels(tmp_path: Path) -> None:
    problem = read_problem(small_config(tmp_path, "ppi", "head"), find_task("ppi"))
    part = problem.part("test")
    assert part.examples is problem.dataset.parts["test"]
    assert np.array_equal(part.targets.values, problem.targets["test"].values)
    assert len(part.rows().values) == part.targets.counted.sum()


def test_wrong_labels_are_counted_before_validation_is_held_out(tmp_path: Path) -> None:
    labels = ["1", "0"] * 20 + [f"x{k}" for k in range(30)]
    rows = zip(random_sequences(70), labels, strict=True)
    table = write_rows(tmp_path / "t.tsv", "sequence label", list(rows))
    config = TrainConfig(task="binary", train=table, out=tmp_path / "run")
    with pytest.raises(InputError, match="30 problems in the input"):
        read_problem(config, find_task("binary"))


def test_a_table_of_dna_is_refused(tmp_path: Path) -> None:
    letters = np.random.default_rng(0).choice(list("ACGT"), (40, 60))
    rows = [("".join(row), number % 2) for number, row in enumerate(letters)]
    table = write_rows(tmp_path / "t.tsv", "sequence label", rows)
    config = TrainConfig(task="binary", train=table, out=tmp_path / "run")
    with pytest.raises(
        InputError, match=r"40 of 40 sequences have only the letters ACGTUN.*Transl"
    ):
        read_problem(config, find_task("binary"))
    few = [*rows[:5], *((text, k % 2) for k, text in enumerate(random_sequences(30)))]
    write_rows(table, "sequence label", few)
    assert read_problem(config, find_task("binary")).dataset.findings
