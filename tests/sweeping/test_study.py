from pathlib import Path
from typing import Any

import optuna
import pytest

from peftide.config import SweepConfig
from peftide.errors import InputError
from peftide.sweeping.space import Space, space_of
from peftide.sweeping.study import FOLDER, REASON, interrupted, open_study, take_up

SPACE = space_of({"lora_r": ["1", "2", "4"]})
DATA = {"t.tsv": "0" * 64}


def config(folder: Path, **changes: Any) -> SweepConfig:
    return SweepConfig(task="ppi", out=folder, space=folder / "space.yaml", **changes)


def opened(folder: Path, space: Space = SPACE, **changes: Any) -> optuna.Study:
    return open_study(config(folder, **changes), space, folder=folder, data=DATA)


def test_a_study_is_found_again(tmp_path: Path) -> None:
    study = opened(tmp_path)
    study.add_trial(
        optuna.trial.create_trial(
            value=0.5,
            params={"lora_r": 1},
            distributions={"lora_r": optuna.distributions.CategoricalDistribution([1, 2, 4])},
        )
    )
    assert len(opened(tmp_path).trials) == 1


@pytest.mark.parametrize(
    ("space", "data", "said"),
    [
        (space_of({"lora_r": ["1", "2"]}), DATA, "another space"),
        (SPACE, {"t.tsv": "1" * 64}, "another data"),
    ],
)
def test_a_study_of_something_else_is_refused(
    tmp_path: Path, space: Space, data: dict[str, str], said: str
) -> None:
    opened(tmp_path)
    with pytest.raises(InputError, match=said):
        open_study(config(tmp_path), space, folder=tmp_path, data=data)


def test_a_study_of_another_program_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'theirs.db'}"
    theirs = optuna.create_study(study_name="peftide", storage=url)
    theirs.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    with pytest.raises(InputError, match="not of `peftide sweep`"):
        opened(tmp_path, storage=url)


@pytest.mark.parametrize("url", ["sqlite:////no/such/folder/a.db", "nonsense", "mysql://a@b/c"])
def test_a_database_that_cannot_be_opened_is_an_input_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match="--storage"):
        opened(tmp_path, storage=url)


def test_a_file_that_is_no_database_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "study.db").write_text("not a database, but long enough to be read as one" * 50)
    with pytest.raises(InputError, match="--storage"):
        opened(tmp_path)


def test_a_range_has_no_grid(tmp_path: Path) -> None:
    space = space_of({"learning_rate": {"low": "1e-4", "high": "1e-3"}})
    with pytest.raises(InputError, match="learning_rate"):
        opened(tmp_path, space, search="grid")


def test_an_interrupted_trial_is_queued_once(tmp_path: Path) -> None:
    study = opened(tmp_path)
    mine, other, failed = (study.ask() for _ in range(3))
    for trial, folder in ((mine, tmp_path), (other, tmp_path / "b"), (failed, tmp_path)):
        trial.suggest_categorical("lora_r", [1, 2, 4])
        trial.set_user_attr(FOLDER, str(folder))
    failed.set_user_attr(REASON, "no memory")
    study.tell(failed, state=optuna.trial.TrialState.FAIL)
    for _ in range(2):
        take_up(study, tmp_path)
    waiting = study.get_trials(states=(optuna.trial.TrialState.WAITING,))
    assert len(waiting) == 1
    assert SPACE["lora_r"].suggest(study.ask()) == mine.params["lora_r"]
    assert {one.number for one in interrupted(study)} >= {mine.number, other.number}


def test_a_resumed_random_study_draws_new_values(tmp_path: Path) -> None:
    space = space_of({"learning_rate": {"low": "1e-4", "high": "1e-1"}})
    drawn = []
    for _ in range(3):
        study = opened(tmp_path, space, search="random")
        drawn.append(space["learning_rate"].suggest(study.ask()))
    assert len(set(drawn)) == 3
