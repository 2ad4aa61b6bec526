from typing import Any

import optuna
import pytest

from peftide.sweeping.space import space_of
from peftide.sweeping.study import REASON
from peftide.sweeping.summary import summarise, trial_table

SPACE = space_of({"lora_r": ["1", "8"], "lora_dropout": {"low": "0.0", "high": "0.5"}})


def study_of(count: int) -> optuna.Study:
    study = optuna.create_study(direction="maximize")

    def objective(trial: optuna.Trial) -> float:
        words = {name: one.suggest(trial) for name, one in SPACE.items()}
        if trial.number == 2:
            trial.set_user_attr(REASON, "no memory")
            raise MemoryError
        if trial.number == 3:  # of a killed process
            raise MemoryError
        trial.set_user_attr("seconds", 1.5)
        return words["lora_r"] + 0.01 * words["lora_dropout"]

    study.optimize(objective, n_trials=count, catch=(MemoryError,))
    return study


def test_the_option_that_makes_the_score_is_the_most_important() -> None:
    found = summarise(study_of(20), SPACE, metric="auroc", seed=0)
    assert next(iter(found.importance)) == "lora_r"
    assert sum(found.importance.values()) == pytest.approx(1)
    assert found.best["values"]["lora_r"] == 8


def test_the_table_has_a_row_per_trial_that_came_to_an_end() -> None:
    table = trial_table(study_of(5), SPACE)
    assert table["state"].tolist() == ["complete", "complete", "fail", "complete"]
    assert table["trial"].tolist() == [0, 1, 2, 4]
    assert set(table["lora_r"]) <= {1, 8}


def test_few_trials_have_no_importance() -> None:
    found: Any = summarise(study_of(2), SPACE, metric="auroc", seed=0)
    assert found.importance == {}
